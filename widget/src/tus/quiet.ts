/** In the place of tus-js-client's own errors and debug log: nobody reads their sentences here, only the cause. */

export default class DetailedError extends Error {
  readonly causingError: unknown;

  constructor(message: string, cause: unknown = null) {
    super(message);
    this.causingError = cause;
  }
}

export function log(): void {}
