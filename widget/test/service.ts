/** A service in memory that speaks tus as ours does (docs/tus.md), and can lose lines and refuse. */

import type { HttpRequest, HttpResponse } from "tus-js-client";
import { LineLost, Problem } from "../src/problem.ts";
import type { Line, Service } from "../src/transport.ts";

interface Stored {
  readonly length: number;
  offset: number;
  key: string;
}

export class FakeService implements Service {
  readonly base = "https://files.example";
  readonly uploads = new Map<string, Stored>();
  /** Each request, as `METHOD offset`. */
  readonly log: string[] = [];
  /** The names under which creations were asked for. */
  readonly keys: string[] = [];
  /** What is thrown at the next requests of a method, one each. */
  readonly troubles: Array<{ method: string; error: Error }> = [];
  /** How many bytes the line carries before it breaks, for the next PATCHes, one each. */
  readonly cuts: number[] = [];
  /** The documents that questions get, one each; without any, questions are never answered. */
  readonly documents: unknown[] = [];
  /** Resolves when a request of the method arrives; the request waits for `go`. */
  gate: { method: string; arrived: () => void; go: Promise<void> } | null = null;
  #count = 0;

  stack = (headers: (method: string) => Record<string, string>) => ({
    getName: () => "fake",
    createRequest: (method: string, url: string) => new FakeRequest(this, method, url, headers(method)),
  });

  async upload(id: string, _wait: number, signal: AbortSignal): Promise<unknown> {
    const document = this.documents.shift();
    if (document instanceof Error) throw document;
    if (document !== undefined) return { id, ...Object(document) };
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new LineLost())));
  }

  async answer(request: FakeRequest, body: Blob | null): Promise<HttpResponse> {
    const { method, url, headers } = request;
    this.log.push(headers["Upload-Offset"] ? `${method} ${headers["Upload-Offset"]}` : method);
    if (this.gate?.method === method) {
      const { arrived, go } = this.gate;
      this.gate = null;
      arrived();
      await go;
      if (request.aborted) throw new LineLost();
    }
    const trouble = this.troubles.findIndex((one) => one.method === method);
    if (trouble >= 0) throw this.troubles.splice(trouble, 1)[0]!.error;
    if (method === "POST") return this.#create(headers);
    const id = url.slice(url.lastIndexOf("/") + 1);
    const upload = this.uploads.get(id);
    if (!upload) {
      if (method === "HEAD") return response(404);
      throw new Problem(404, "not_found", "");
    }
    if (method === "DELETE" && upload.offset === upload.length) throw new Problem(403, "forbidden", "");
    if (method === "DELETE") this.uploads.delete(id);
    else if (method === "PATCH") this.#write(request, upload, body!);
    return response(method === "HEAD" ? 200 : 204, { "Upload-Offset": upload.offset, "Upload-Length": upload.length });
  }

  #create(headers: Record<string, string>): HttpResponse {
    const key = headers["Idempotency-Key"] ?? "";
    this.keys.push(key);
    const known = [...this.uploads].find(([, upload]) => upload.key === key)?.[0];
    const id = known ?? `up_${(this.#count += 1)}`;
    if (!known) this.uploads.set(id, { length: Number(headers["Upload-Length"]), offset: 0, key });
    return response(201, { Location: `/v1/tus/${id}` });
  }

  #write(request: FakeRequest, upload: Stored, body: Blob): void {
    if (Number(request.headers["Upload-Offset"]) !== upload.offset) throw new Problem(409, "wrong_offset", "");
    const cut = this.cuts.shift();
    upload.offset += Math.min(body.size, cut ?? Infinity);
    request.progress(Math.min(body.size, cut ?? Infinity));
    if (cut !== undefined) throw new LineLost();
  }
}

class FakeRequest implements HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  progress: (bytes: number) => void = () => {};
  aborted = false;
  readonly #service: FakeService;
  #abort: (() => void) | null = null;

  constructor(service: FakeService, method: string, url: string, headers: Record<string, string>) {
    this.#service = service;
    this.method = method;
    this.url = url;
    this.headers = { ...headers };
  }

  getMethod = () => this.method;
  getURL = () => this.url;
  getHeader = (name: string) => this.headers[name];
  getUnderlyingObject = () => null;
  setHeader = (name: string, value: string) => void (this.headers[name] = value);
  setProgressHandler = (handler: (bytes: number) => void) => void (this.progress = handler);

  send(body: Blob | null): Promise<HttpResponse> {
    const aborted = new Promise<never>((_, reject) => (this.#abort = () => reject(new LineLost())));
    return Promise.race([this.#service.answer(this, body), aborted]);
  }

  async abort(): Promise<void> {
    if (this.method === "POST") return;
    this.aborted = true;
    this.#abort?.();
  }
}

function response(status: number, headers: Record<string, string | number> = {}): HttpResponse {
  return {
    getStatus: () => status,
    getHeader: (name) => (name in headers ? String(headers[name]) : undefined),
    getBody: () => "",
    getUnderlyingObject: () => null,
  };
}

/** A line that is up or down when a test says so. Coming back ends every wait, so tests never sleep. */
export class FakeLine extends EventTarget implements Line {
  connected = true;

  fall(): void {
    this.connected = false;
    this.dispatchEvent(new Event("offline"));
  }

  come(): void {
    this.connected = true;
    this.dispatchEvent(new Event("online"));
  }
}
