/** Keeps the token: asks the page for a new one before it ends and after it was refused, once for all who wait. */

import { NoToken } from "./problem.ts";

/** Why a token is asked for. */
export type Wanted = "missing" | "expiring" | "refused";
export type TokenProvider = (wanted: { meeting: string | null; reason: Wanted }) => Promise<string>;

/** So long before its end, in milliseconds, a token is replaced. */
const AHEAD = 30_000;
/** How long a page may take to give a token, in milliseconds. */
const PATIENCE = 30_000;

export class TokenKeeper {
  meeting: string | null = null;
  readonly #now: () => number;
  #token: string | null = null;
  #endsAt = Infinity;
  #refused = false;
  #provider: TokenProvider | null = null;
  #asking: Promise<string> | null = null;

  /** `now` gives milliseconds since the epoch. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  get token(): string | null {
    return this.#token;
  }

  set token(token: string | null) {
    this.#token = token || null;
    this.#refused = false;
    this.#endsAt = token ? endOf(token, this.#now()) : Infinity;
  }

  get provider(): TokenProvider | null {
    return this.#provider;
  }

  set provider(provider: TokenProvider | null) {
    this.#provider = provider;
    this.#asking = null;
  }

  /** Return one for another place: its provider is asked anew there, and only a token that needs none goes along. */
  heir(meeting: string | null): TokenKeeper {
    const heir = new TokenKeeper(this.#now);
    heir.meeting = meeting;
    heir.#provider = this.#provider;
    if (!this.#provider) heir.token = this.#token;
    return heir;
  }

  /** Whether it is worth asking for one. */
  get hopeful(): boolean {
    return this.#provider !== null || (this.#token !== null && !this.#refused);
  }

  /** Return a token to send. Throws `NoToken`. A token that is only near its end is better than none. */
  async get(): Promise<string> {
    const token = this.#token;
    const reason = this.#reason();
    if (token !== null && reason === null) return token;
    const usable = token !== null && !this.#refused;
    if (this.#provider === null) {
      // Its end is only what our clock says: the service decides.
      if (usable) return token;
      throw new NoToken(token === null ? "no_token" : "grant_expired");
    }
    try {
      return await this.#ask(this.#provider, reason ?? "missing");
    } catch (error) {
      if (usable && this.#now() < this.#endsAt) return token;
      throw error;
    }
  }

  /** Note that the service refused `token`. A token that came since is not touched. */
  refuse(token: string): void {
    if (token === this.#token) this.#refused = true;
  }

  #reason(): Wanted | null {
    if (this.#token === null) return "missing";
    if (this.#refused) return "refused";
    return this.#now() >= this.#endsAt - AHEAD ? "expiring" : null;
  }

  #ask(provider: TokenProvider, reason: Wanted): Promise<string> {
    if (this.#asking) return this.#asking;
    const asking = answered(provider, { meeting: this.meeting, reason })
      .then((token) => {
        // A provider that was replaced meanwhile speaks for somebody else.
        if (this.#provider === provider) this.token = token;
        return token;
      })
      .finally(() => {
        if (this.#asking === asking) this.#asking = null;
      });
    this.#asking = asking;
    return asking;
  }
}

/**
 * Send with a token, and once more with another one if that is refused (401).
 *
 * `send` returns any answer that has a status. Throws what it throws, and `NoToken`.
 */
export async function authorised<T extends { readonly status: number }>(
  keeper: TokenKeeper,
  send: (token: string) => Promise<T>,
): Promise<T> {
  const token = await keeper.get();
  const answer = await send(token);
  if (answer.status !== 401) return answer;
  keeper.refuse(token);
  const other = await keeper.get();
  const second = await send(other);
  if (second.status === 401) keeper.refuse(other);
  return second;
}

async function answered(provider: TokenProvider, wanted: Parameters<TokenProvider>[0]): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoToken("token_unavailable")), PATIENCE);
  });
  try {
    const token: unknown = await Promise.race([provider(wanted), late]);
    if (typeof token === "string" && token) return token;
  } catch {
    // Whatever the page threw: what counts is that there is no token.
  } finally {
    clearTimeout(timer);
  }
  throw new NoToken("token_unavailable");
}

/**
 * Return when `token` ends, in milliseconds since the epoch by our clock; `Infinity` if it does not say.
 *
 * Reads `iat` and `exp` of a JWT (RFC 7519, 4.1) unchecked: they only time the asking. A clock that is
 * ahead must not make every new token look ended, so then only the token's length counts.
 */
export function endOf(token: string, now: number): number {
  let claims: { iat?: unknown; exp?: unknown };
  try {
    const part = token.split(".")[1] ?? "";
    claims = Object(JSON.parse(atob(part.replaceAll("-", "+").replaceAll("_", "/"))));
  } catch {
    return Infinity;
  }
  const { iat, exp } = claims;
  if (typeof exp !== "number") return Infinity;
  const byLength = typeof iat === "number" ? now + (exp - iat) * 1000 : Infinity;
  return exp * 1000 > now ? Math.min(exp * 1000, byLength) : byLength;
}
