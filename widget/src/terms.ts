/** Learns what may be sent, first the policy, then the grant, and keeps it up to date. */

import type { Api } from "./api.ts";
import { type Limits, narrow, type Policy } from "./limits.ts";
import { backoff, pause } from "./patience.ts";
import type { Line } from "./transport.ts";

export class Terms {
  /** The newest limits, or `null` before any are known. */
  limits: Limits | null = null;
  /** Whether the service could not be asked so far. */
  silent = false;
  /** Whether the limits may change at once: a grant is being asked for what it allows. */
  asking = false;
  /** The meeting that the grant is for, where the service tells. */
  meeting: string | null = null;
  readonly #api: Api;
  readonly #line: Line;
  readonly #changed: () => void;
  readonly #halt = new AbortController();
  #policy: Policy | null = null;
  #grantAsked = 0;

  constructor(api: Api, line: Line, changed: () => void) {
    this.#api = api;
    this.#line = line;
    this.#changed = changed;
  }

  /** Ask until the policy is known. */
  async start(): Promise<void> {
    const { signal } = this.#halt;
    for (let attempt = 0; this.#policy === null && !signal.aborted; attempt += 1) {
      try {
        this.#policy = await this.#api.policy(signal);
      } catch {
        if (signal.aborted) return;
        this.silent = true;
        this.#changed();
        await pause(backoff(attempt), signal, this.#line);
      }
    }
    await this.refresh();
  }

  /** Ask for the grant anew: another one came, or some of it was used. Without an answer the policy alone counts. */
  async refresh(): Promise<void> {
    if (this.#policy === null || this.#halt.signal.aborted) return;
    const asked = (this.#grantAsked += 1);
    this.asking = true;
    const grant = this.#api.keeper.hopeful ? await this.#api.grant(this.#halt.signal).catch(() => null) : null;
    if (asked !== this.#grantAsked || this.#halt.signal.aborted) return;
    this.asking = this.silent = false;
    this.limits = narrow(this.#policy, grant);
    this.meeting = grant?.meeting ?? null;
    this.#changed();
  }

  stop(): void {
    this.#halt.abort();
  }
}
