/**
 * The HTTP stack under tus-js-client: the token, and what the protocol may see of errors.
 *
 * tus-js-client forgets an upload after any 4xx to HEAD. So it sees none but those that mean that the upload
 * is gone (404, 410); every other error is thrown as a `Problem`, which it hands to `onError` untouched.
 */

import type { HttpRequest, HttpResponse, HttpStack } from "tus-js-client";
import { authorised, type TokenKeeper } from "../grant.ts";
import { LineLost, readProblem } from "../problem.ts";

/** A request in which nothing moves for so many milliseconds has lost its line. */
const STALLED = 60_000;

export class Stack implements HttpStack {
  readonly #keeper: TokenKeeper;
  readonly #headers: (method: string) => Record<string, string>;

  /** `headers` gives what every request of a method has besides tus's own. */
  constructor(keeper: TokenKeeper, headers: (method: string) => Record<string, string>) {
    this.#keeper = keeper;
    this.#headers = headers;
  }

  createRequest(method: string, url: string): HttpRequest {
    return new Request(this.#keeper, method, url, this.#headers(method));
  }

  getName(): string {
    return "Greenroom";
  }
}

class Request implements HttpRequest {
  readonly #keeper: TokenKeeper;
  readonly #method: string;
  readonly #url: string;
  readonly #headers: Record<string, string>;
  #progress: (bytes: number) => void = () => {};
  #xhr: XMLHttpRequest | null = null;
  #aborted = false;

  constructor(keeper: TokenKeeper, method: string, url: string, headers: Record<string, string>) {
    this.#keeper = keeper;
    this.#method = method;
    this.#url = url;
    this.#headers = { ...headers };
  }

  getMethod = (): string => this.#method;
  getURL = (): string => this.#url;
  getHeader = (name: string): string | undefined => this.#headers[name];
  getUnderlyingObject = (): XMLHttpRequest | null => this.#xhr;

  setHeader(name: string, value: string): void {
    this.#headers[name] = value;
  }

  setProgressHandler(handler: (bytes: number) => void): void {
    this.#progress = handler;
  }

  async send(body: Blob | null = null): Promise<HttpResponse> {
    const answer = await authorised(this.#keeper, (token) => this.#once(token, body));
    const gone = this.#method === "HEAD" && (answer.status === 404 || answer.status === 410);
    if (answer.status < 400 || gone) return answer;
    throw readProblem(answer.status, answer.getBody(), answer.getHeader("Retry-After") ?? null);
  }

  /** A creation is not broken off: an upload that nobody knows of could not be cancelled. */
  async abort(): Promise<void> {
    if (this.#method === "POST") return;
    this.#aborted = true;
    this.#xhr?.abort();
  }

  #once(token: string, body: Blob | null): Promise<Response> {
    return new Promise((resolve, reject) => {
      if (this.#aborted) return reject(new LineLost());
      const xhr = new XMLHttpRequest();
      this.#xhr = xhr;
      let timer: ReturnType<typeof setTimeout>;
      const alive = () => {
        clearTimeout(timer);
        timer = setTimeout(() => xhr.abort(), STALLED);
      };
      xhr.open(this.#method, this.#url);
      for (const [name, value] of Object.entries(this.#headers)) xhr.setRequestHeader(name, value);
      xhr.setRequestHeader("Authorization", `Bearer ${token}`);
      if (body) {
        xhr.upload.onprogress = (event) => {
          alive();
          this.#progress(event.loaded);
        };
      }
      xhr.onload = () => resolve(new Response(xhr));
      xhr.onerror = xhr.onabort = () => reject(new LineLost());
      xhr.onloadend = () => clearTimeout(timer);
      alive();
      xhr.send(body);
    });
  }
}

class Response implements HttpResponse {
  readonly #xhr: XMLHttpRequest;
  readonly status: number;

  constructor(xhr: XMLHttpRequest) {
    this.#xhr = xhr;
    this.status = xhr.status;
  }

  getStatus = (): number => this.status;
  getHeader = (name: string): string | undefined => this.#xhr.getResponseHeader(name) ?? undefined;
  getBody = (): string => this.#xhr.responseText;
  getUnderlyingObject = (): XMLHttpRequest => this.#xhr;
}
