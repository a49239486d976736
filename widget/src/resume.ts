/**
 * Where an unfinished upload is to be gone on with after a reload: one entry of localStorage a file.
 *
 * The key tells the file, the value is the upload's id and when it was written. Entries go at the verdict, and
 * after a day, when the service has given the upload up.
 */

const PREFIX = "greenroom:upload:";
const VALUE = /^(up_[\w-]+) (\d+)$/;
/** Milliseconds: the service's own `unfinished_lifetime` (service/policy.toml). */
const LIFETIME = 86_400_000;

/** The entries that any widget of this page wrote. */
const PAGE = new Set<string>();

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
  readonly #now: () => number;
  readonly #own: Set<string>;

  /**
   * `shelf` is `null` where nothing may be kept: then nothing is found. `now` gives milliseconds; `own` are the
   * entries that this page wrote.
   */
  constructor(shelf: Shelf | null, now: () => number = Date.now, own: Set<string> = PAGE) {
    this.#shelf = shelf;
    this.#now = now;
    this.#own = own;
  }

  /** Return the entry of one file. */
  at(key: ResumeKey): Bookmark {
    const name = PREFIX + JSON.stringify([key.endpoint, key.meeting, key.name, key.size, key.lastModified]);
    return {
      find: () => this.#read(name),
      put: (id) => {
        this.#own.add(name);
        attempt(() => this.#shelf?.setItem(name, `${id} ${this.#now()}`));
      },
      drop: () => attempt(() => this.#shelf?.removeItem(name)),
    };
  }

  /** Return the names of the files that another page, or this one before a reload, began and did not end. */
  names(endpoint: string, meeting: string): string[] {
    const shelf = this.#shelf;
    const entries = attempt(() => Array.from({ length: shelf?.length ?? 0 }, (_, index) => shelf?.key(index) ?? ""));
    return (entries ?? []).flatMap((entry) => {
      const file = this.#own.has(entry) ? null : parse(entry);
      const here = file && this.#read(entry) && file[0] === endpoint && file[1] === meeting;
      return here ? [String(file[2])] : [];
    });
  }

  /** Return the id of an entry that is not too old; one that is, or that is not ours, goes. */
  #read(entry: string): string | null {
    const value = attempt(() => this.#shelf?.getItem(entry)) ?? "";
    const [, id, at] = VALUE.exec(value) ?? [];
    if (id && this.#now() - Number(at) < LIFETIME) return id;
    if (value) attempt(() => this.#shelf?.removeItem(entry));
    return null;
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
