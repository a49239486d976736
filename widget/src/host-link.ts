/**
 * The talk between the iframe page `/embed` and the page that holds it, without the DOM.
 *
 * Nothing is told to a host before one of the listed origins has answered `ready`, and a message counts only if it
 * comes from the parent window, from a listed origin, and has exactly the members that it may have.
 */

/** Why the widget wants a token. */
export type Wanted = { meeting: string | null; reason: "missing" | "expiring" | "refused" };

/** What the iframe tells its host. */
export type ToHost =
  | { type: "ready" }
  | ({ type: "token-wanted"; id: string } & Wanted)
  | { type: "event"; name: string; detail: unknown }
  | { type: "resize"; height: number };

/** What a host tells the iframe: a token, or `null` for none; `id` where it was asked for. */
type Token = { id: string | undefined; token: string | null };

/** As much of `window.parent` as is needed. */
export interface Host {
  postMessage(message: unknown, targetOrigin: string): void;
}

/** As much of a `MessageEvent` as is needed. */
export interface Message {
  readonly source: unknown;
  readonly origin: string;
  readonly data: unknown;
}

type Asked = { resolve: (token: string) => void; reject: (reason: Error) => void };

const SOURCE = "greenroom";
/** A JWS in compact form (RFC 7515, 3.1): an API key, which has no business in a page, is none. */
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const LONGEST_TOKEN = 8192;
const MEMBERS: ReadonlySet<string> = new Set(["source", "type", "id", "token"]);

/** Ties an iframe to the one host that may steer it. */
export class HostLink {
  readonly #host: Host;
  readonly #origins: ReadonlySet<string>;
  readonly #onToken: (token: string) => void;
  readonly #asked = new Map<string, Asked>();
  #origin: string | null = null;
  #unsent: ToHost[] = [];
  #count = 0;

  /**
   * @param host - the window that holds the iframe
   * @param origins - the origins that may
   * @param onToken - called with every token that the host gives unasked
   */
  constructor(host: Host, origins: ReadonlySet<string>, onToken: (token: string) => void) {
    this.#host = host;
    this.#origins = origins;
    this.#onToken = onToken;
  }

  /** Say that the iframe listens. Goes to anybody, for nobody has answered yet, and holds nothing. */
  ready(): void {
    this.#host.postMessage({ source: SOURCE, type: "ready" }, "*");
  }

  /** Tell the host something, as soon as it is known which of the origins it is. */
  send(message: ToHost): void {
    if (this.#origin === null) this.#unsent.push(message);
    else this.#host.postMessage({ source: SOURCE, ...message }, this.#origin);
  }

  /** Ask the host for a token. Rejects if the host says that there is none. */
  askForToken(wanted: Wanted): Promise<string> {
    const id = String(++this.#count);
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.send({ type: "token-wanted", id, meeting: wanted.meeting, reason: wanted.reason });
    });
  }

  /** Take a message that arrived, if it counts; anything else is passed over without a word. */
  receive(message: Message): void {
    if (message.source !== this.#host || !this.#origins.has(message.origin)) return;
    const said = readToken(message.data);
    if (said === null) return;
    if (said.id === undefined) this.#takeUnasked(said.token);
    else this.#takeAnswer(said.id, said.token);
    this.#origin = message.origin;
    for (const unsent of this.#unsent.splice(0)) {
      if (unsent.type !== "token-wanted" || this.#asked.has(unsent.id)) this.send(unsent);
    }
  }

  #takeUnasked(token: string | null): void {
    if (token === null) return;
    for (const id of [...this.#asked.keys()]) this.#takeAnswer(id, token);
    this.#onToken(token);
  }

  #takeAnswer(id: string, token: string | null): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (token === null) asked?.reject(new Error("The page has no token."));
    else asked?.resolve(token);
  }
}

/** Return the token message that `data` is, or `null` if it is none. */
function readToken(data: unknown): Token | null {
  if (typeof data !== "object" || data === null) return null;
  if (!Object.keys(data).every((name) => MEMBERS.has(name))) return null;
  const { source, type, id, token } = data as Record<string, unknown>;
  if (source !== SOURCE || type !== "token") return null;
  if (id !== undefined && typeof id !== "string") return null;
  if (token === null) return { id, token };
  const good = typeof token === "string" && token.length <= LONGEST_TOKEN && TOKEN.test(token);
  return good ? { id, token } : null;
}
