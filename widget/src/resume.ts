/**
 * Where an unfinished upload is to be gone on with after a reload: one entry of localStorage a file.
 *
 * The key tells the file, the value is the upload's id and nothing else. Entries go at the verdict.
 */

const PREFIX = "greenroom:upload:";
const UPLOAD_ID = /^up_[\w-]+$/;

/** What an entry is about. `endpoint` and `meeting` say whose it is. */
export interface ResumeKey {
  readonly endpoint: string;
  readonly meeting: string;
  readonly name: string;
  readonly size: number;
  readonly lastModified: number;
}

/** The part of `Storage` that is used. */
export type Shelf = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/** One file's entry: `find` gives the upload's id, or `null`. */
export interface Bookmark {
  find(): string | null;
  put(id: string): void;
  drop(): void;
}

export class ResumeKeys {
  readonly #shelf: Shelf | null;

  /** `shelf` is `null` where nothing may be kept: then nothing is found. */
  constructor(shelf: Shelf | null) {
    this.#shelf = shelf;
  }

  /** Return the entry of one file. */
  at(key: ResumeKey): Bookmark {
    const name = PREFIX + JSON.stringify([key.endpoint, key.meeting, key.name, key.size, key.lastModified]);
    return {
      find: () => {
        const id = attempt(() => this.#shelf?.getItem(name));
        return id && UPLOAD_ID.test(id) ? id : null;
      },
      put: (id) => attempt(() => this.#shelf?.setItem(name, id)),
      drop: () => attempt(() => this.#shelf?.removeItem(name)),
    };
  }

  /** Return the names of the files that can be gone on with. */
  names(endpoint: string, meeting: string): string[] {
    const found: string[] = [];
    attempt(() => {
      for (let index = 0; index < (this.#shelf?.length ?? 0); index += 1) {
        const parts = parse(this.#shelf?.key(index) ?? "");
        if (parts && parts[0] === endpoint && parts[1] === meeting) found.push(String(parts[2]));
      }
    });
    return found;
  }
}

/** Return the browser's own shelf, or `null` where it has none for us (private mode, a sandboxed frame). */
export function browserShelf(): Shelf | null {
  return attempt(() => localStorage) ?? null;
}

function parse(text: string): unknown[] | null {
  if (!text.startsWith(PREFIX)) return null;
  const parts: unknown = attempt(() => JSON.parse(text.slice(PREFIX.length)));
  return Array.isArray(parts) ? parts : null;
}

/** A shelf that is full or forbidden costs the resuming after a reload, never the upload. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
