/** The service's API, as far as the widget asks it. Never sends cookies. */

import type { HttpStack } from "tus-js-client";
import { authorised, type TokenKeeper } from "./grant.ts";
import type { Grant, Policy } from "./limits.ts";
import { LineLost, Problem, readProblem } from "./problem.ts";
import { Stack } from "./tus/stack.ts";

export class Api {
  /** Without a slash at its end. */
  readonly base: string;
  readonly keeper: TokenKeeper;

  constructor(base: string, keeper: TokenKeeper) {
    this.base = base;
    this.keeper = keeper;
  }

  /** What may be sent, in general. Throws `LineLost` and `Problem`, as all of these do. */
  async policy(signal: AbortSignal): Promise<Policy> {
    const document = await read(this.#fetch("/v1/policy", signal));
    const types = list(document.types).map((one) => Object(one).extension);
    const size = document.max_file_size;
    if (typeof size !== "number" || !types.length) throw new Problem(200, "bad_answer", "no policy");
    return { size, types: types.filter((one) => typeof one === "string") };
  }

  /** What the token's grant says. `null` where the token is not a grant or the service does not tell. */
  async grant(signal: AbortSignal): Promise<Grant | null> {
    const document = await read(this.#authorised("/v1/grant", signal)).catch((error: unknown) => {
      if (error instanceof Problem && error.status !== 401) return null;
      throw error;
    });
    if (document === null) return null;
    const used = Object(document.used);
    return {
      meeting: typeof document.meeting === "string" ? document.meeting : null,
      types: list(document.types).filter((one) => typeof one === "string"),
      files: left(document.max_files, used.files),
      bytes: left(document.max_bytes, used.bytes),
    };
  }

  /** The document of an upload, after waiting at most `wait` seconds for it to come to rest. Throws `NoToken` too. */
  upload(id: string, wait: number, signal: AbortSignal): Promise<unknown> {
    return read(this.#authorised(`/v1/uploads/${id}?wait=${wait}`, signal));
  }

  /** What tus sends by; every request of a method gets what `headers` says for it. */
  stack(headers: (method: string) => Record<string, string>): HttpStack {
    return new Stack(this.keeper, headers);
  }

  #authorised(path: string, signal: AbortSignal): Promise<Response> {
    return authorised(this.keeper, (token) => this.#fetch(path, signal, { Authorization: `Bearer ${token}` }));
  }

  async #fetch(path: string, signal: AbortSignal, headers: Record<string, string> = {}): Promise<Response> {
    try {
      return await fetch(this.base + path, { headers, signal, credentials: "omit", cache: "no-store", redirect: "error" });
    } catch {
      throw new LineLost();
    }
  }
}

async function read(answer: Promise<Response>): Promise<Record<string, unknown>> {
  const response = await answer;
  const body = await response.text().catch(() => {
    throw new LineLost();
  });
  if (!response.ok) throw readProblem(response.status, body, response.headers.get("Retry-After"));
  try {
    return Object(JSON.parse(body));
  } catch {
    throw new Problem(response.status, "bad_answer", "not JSON");
  }
}

const list = (value: unknown): any[] => (Array.isArray(value) ? value : []);

const left = (most: unknown, used: unknown): number =>
  typeof most === "number" ? Math.max(0, most - (typeof used === "number" ? used : 0)) : Infinity;
