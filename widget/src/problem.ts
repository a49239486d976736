/**
 * What can go wrong on the way, as one tree.
 *
 *     Error
 *     +-- LineLost       no answer came: the network, not the service
 *     +-- Problem        the service answered with an error (RFC 9457)
 *     +-- NoToken        there is no token, or none that is accepted
 */

/** No answer came. */
export class LineLost extends Error {}

/** Seconds: nobody is told to wait for longer, nor could a timer. */
const LONGEST = 3600;

/** The service answered with an error. `code` is stable; `retryAfter` is in seconds, 0 if none was said. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly retryAfter: number;

  constructor(status: number, code: string, detail: string, retryAfter = 0) {
    super(detail);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** There is no token that the service accepts. `code` says which way it is missing. */
export class NoToken extends Error {
  readonly code: "no_token" | "token_unavailable" | "grant_expired";

  constructor(code: NoToken["code"]) {
    super(code);
    this.code = code;
  }
}

/** Read an error answer, which may be anything: a proxy's page, half a document, nothing. */
export function readProblem(status: number, body: string, retryAfter: string | null): Problem {
  let document: { code?: unknown; detail?: unknown } = {};
  try {
    document = Object(JSON.parse(body));
  } catch {
    // Not ours: what counts is the status.
  }
  const code = typeof document.code === "string" ? document.code : `http_${status}`;
  const detail = typeof document.detail === "string" ? document.detail : "";
  return new Problem(status, code, detail, Math.min(Number(retryAfter) || 0, LONGEST));
}
