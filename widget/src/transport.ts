/** Brings one file's bytes to the service by tus 1.0.0, over any line, and says what becomes of them. */

import type { HttpStack } from "tus-js-client";
import BaseUpload from "tus-js-client/lib/upload.js";
import type { Api } from "./api.ts";
import { backoff, pause } from "./patience.ts";
import { LineLost, NoToken, Problem } from "./problem.ts";

/** What the file's owner hears. */
export interface Hearer {
  /** The service knows the upload under this id; `null`: it knows it no longer. */
  named(id: string | null): void;
  progress(sent: number): void;
  /** Nothing moves just now; it goes on by itself. `code` is the service's, or `null` if it is silent. */
  lost(code: string | null): void;
  back(): void;
  stored(): void;
  /** It was cancelled too late: the service has all of it, and it alone can say what becomes of it. */
  kept(id: string): void;
  refused(code: string, detail: string): void;
  failed(code: string, detail: string): void;
}

export interface Delivery {
  readonly file: File;
  readonly service: Service;
  readonly meeting: string | null;
  /** The id of an upload to go on with, or `null`. */
  readonly known: string | null;
  readonly line: Line;
}

/** The part of `Api` that files need. */
export type Service = Pick<Api, "base" | "stack" | "upload">;

/** The part of `window` and `navigator` that tells of the line. */
export interface Line extends EventTarget {
  readonly connected: boolean;
}

/** Pages that give no token are asked so often before the upload fails. */
const MOST_ASKS = 4;
const UPLOAD_ID = /\/(up_[\w-]+)$/;
const PASSING = new Set([408, 409, 423, 425, 429, 460]);
const REFUSING = new Set(["quota_exceeded", "bad_request"]);

export class Transport {
  readonly #delivery: Delivery;
  readonly #hearer: Hearer;
  readonly #stack: HttpStack;
  #id: string | null;
  #key = newKey();
  #upload: BaseUpload | null = null;
  #attempt = 0;
  #most = 0;
  #retrying = false;
  #halt = new AbortController();
  #ended = false;

  constructor(delivery: Delivery, hearer: Hearer) {
    this.#delivery = delivery;
    this.#hearer = hearer;
    this.#id = delivery.known;
    this.#stack = delivery.service.stack((method) => this.#headers(method));
  }

  /** Begin, or go on where the service is. */
  start(): void {
    this.stop();
    this.#halt = new AbortController();
    this.#attempt = 0;
    const halt = this.#halt.signal;
    this.#delivery.line.addEventListener("offline", () => this.#lineFell(halt), { signal: halt });
    this.#go(halt);
  }

  /** Stop sending. What the service has stays there. */
  stop(): void {
    this.#halt.abort();
    void this.#upload?.abort();
    this.#upload = null;
  }

  /** Stop, and have the service forget the upload as soon as it can be told: a line that is away is waited for. */
  async cancel(): Promise<void> {
    this.stop();
    this.#ended = true;
    const id = this.#id;
    for (let attempt = 0, refusals = 0; id && refusals < MOST_ASKS; attempt += 1) {
      const request = this.#stack.createRequest("DELETE", this.#url(id));
      request.setHeader("Tus-Resumable", "1.0.0");
      try {
        await request.send(null);
        return;
      } catch (error) {
        if (error instanceof Problem) {
          if (error.status === 403) this.#hearer.kept(id);
          if (!isPassing(error.status)) return;
        }
        if (!(error instanceof LineLost)) refusals += 1;
      }
      await pause(backoff(attempt), new AbortController().signal, this.#delivery.line);
    }
  }

  #url = (id: string): string => `${this.#delivery.service.base}/v1/tus/${id}`;

  #headers(method: string): Record<string, string> {
    // No request waits for the scan: its verdict is asked for afterwards.
    if (method === "POST") return { Prefer: "wait=0", "Idempotency-Key": this.#key };
    return method === "PATCH" ? { Prefer: "wait=0" } : {};
  }

  #go(halt: AbortSignal): void {
    const { file, service, meeting } = this.#delivery;
    const live = () => !halt.aborted;
    const upload = new BaseUpload(file, {
      ...BaseUpload.defaultOptions,
      endpoint: `${service.base}/v1/tus`,
      metadata: { filename: file.name, filetype: file.type, ...(meeting === null ? {} : { meeting }) },
      httpStack: this.#stack,
      fileReader: { openFile: async (one: File) => source(one) },
      fingerprint: async () => "",
      storeFingerprintForResuming: false,
      retryDelays: null,
      onUploadUrlAvailable: () => this.#named(upload, live),
      onProgress: (sent) => live() && this.#progressed(sent),
      onSuccess: () => live() && this.#hearer.stored(),
      onError: (error) => live() && this.#failed(error, halt),
    });
    if (this.#id) upload.url = this.#url(this.#id);
    this.#upload = upload;
    upload.start();
  }

  #named(upload: BaseUpload, live: () => boolean): void {
    const id = UPLOAD_ID.exec(upload.url ?? "")?.[1] ?? null;
    if (id !== this.#id) {
      this.#id = id;
      // Should the service forget this one, the next creation is another.
      this.#key = newKey();
      if (this.#ended) void this.cancel();
      else this.#hearer.named(id);
    }
    if (id) upload.url = this.#url(id);
    if (live()) this.#hearer.back();
  }

  #progressed(sent: number): void {
    if (sent > this.#most) {
      this.#most = sent;
      this.#attempt = 0;
    }
    this.#hearer.progress(sent);
  }

  #lineFell(halt: AbortSignal): void {
    void this.#upload?.abort();
    void this.#again(halt, null, 0);
  }

  #failed(error: Error, halt: AbortSignal): void {
    const cause: unknown = (error as { causingError?: unknown }).causingError ?? error;
    if (cause instanceof LineLost) void this.#lineLost(halt);
    else if (cause instanceof NoToken) this.#noToken(cause, halt);
    else if (cause instanceof Problem) this.#problem(cause, halt);
    else this.#hearer.failed("unexpected", "");
  }

  async #lineLost(halt: AbortSignal): Promise<void> {
    // A file that was changed or taken away since it was picked breaks requests just as a lost line does.
    const readable = await this.#delivery.file.slice(0, 1).arrayBuffer().then(() => true, () => false);
    if (halt.aborted) return;
    if (readable) await this.#again(halt, null, 0);
    else this.#hearer.failed("unreadable", "");
  }

  #noToken(error: NoToken, halt: AbortSignal): void {
    if (error.code === "token_unavailable" && this.#attempt < MOST_ASKS) void this.#again(halt, error.code, 0);
    else this.#hearer.failed(error.code, "");
  }

  #problem({ status, code, message, retryAfter }: Problem, halt: AbortSignal): void {
    // An upload that is gone is begun anew.
    const gone = this.#id !== null && (status === 404 || status === 410);
    if (gone || isPassing(status)) void this.#again(halt, code, retryAfter * 1000);
    else if (status === 413 || status === 415 || REFUSING.has(code)) this.#hearer.refused(code, message);
    else this.#hearer.failed(code, message);
  }

  async #again(halt: AbortSignal, code: string | null, atLeast: number): Promise<void> {
    if (this.#retrying || halt.aborted) return;
    const attempt = this.#attempt++;
    const { line } = this.#delivery;
    // What one more try at once mends is not worth a word.
    if (attempt > 0 || !line.connected) {
      this.#retrying = true;
      this.#hearer.lost(code);
      await pause(Math.max(backoff(Math.max(0, attempt - 1)), atLeast), halt, line);
      this.#retrying = false;
    }
    if (!halt.aborted) this.#go(halt);
  }
}

/** Whether the same request may work later. */
const isPassing = (status: number): boolean => status >= 500 || PASSING.has(status);

function source(file: File) {
  return {
    size: file.size,
    slice: async (start: number, end: number) => ({ value: file.slice(start, end), done: end >= file.size }),
    close() {},
  };
}

/** A fresh name for one creation, of 128 random bits; works without a secure context, too. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
