/**
 * All files of one widget: who is next, what happens to each, and who hears of it. Knows no page.
 *
 * The way of a file: wait for the limits and a place, send its bytes (`transport.ts`), then ask for the verdict
 * until there is one. Only `#move` changes a state, and only as the table of `state.ts` allows.
 */

import { Item, type Picture } from "./item.ts";
import { type Limits, objection } from "./limits.ts";
import { backoff, pause } from "./patience.ts";
import { LineLost, NoToken, Problem } from "./problem.ts";
import type { ResumeKeys } from "./resume.ts";
import { Slots } from "./slots.ts";
import { after, can, isLive, isUnderway, isVerdict, type Move } from "./state.ts";
import { type Hearer, type Line, type Service, Transport } from "./transport.ts";
import { readUpload } from "./verdict.ts";

/** What changed: a new file, a state, bytes sent, or a file that left the list. */
export type Change = "added" | "state" | "progress" | "removed";

/** Where files go: fixed for a file when its turn comes. */
export interface Target {
  readonly service: Service;
  readonly meeting: string | null;
  readonly resume: ResumeKeys;
}

/**
 * HTTP/1.1 gives a page six connections to an origin: all widgets of a page together take four, two for bytes
 * and two for questions.
 */
const SENDING = new Slots(2);
const ASKING = new Slots(2);
/** Seconds that a question waits at the service for its answer; less when others wait for a place to ask. */
const LONG_WAIT = 20;
const SHORT_WAIT = 2;
/** Milliseconds between two questions that were answered at once. */
const BETWEEN = 2000;

export class Uploads {
  readonly #items = new Map<string, Item>();
  readonly #target: () => Target;
  readonly #limits: () => Promise<Limits>;
  readonly #line: Line;
  readonly #hear: (item: Item, change: Change) => void;
  #count = 0;
  #suspended: Item[] = [];

  /** `limits` resolves when they are known, however long that takes. */
  constructor(
    target: () => Target,
    limits: () => Promise<Limits>,
    line: Line,
    hear: (item: Item, change: Change) => void,
  ) {
    this.#target = target;
    this.#limits = limits;
    this.#line = line;
    this.#hear = hear;
  }

  get pictures(): Picture[] {
    return [...this.#items.values()].map((item) => item.picture);
  }

  /** Take in a file, or the name of a folder, which is refused. */
  add(file: File | string): void {
    const folder = typeof file === "string";
    const item = new Item(`file-${(this.#count += 1)}`, folder ? null : file, folder ? file : file.name);
    this.#items.set(item.id, item);
    this.#hear(item, "added");
    if (folder) this.#end(item, "refuse", "folder", "");
    else void this.#run(item);
  }

  pause(id: string): void {
    this.#halt(id, "pause");
  }

  /** Stop it for good; the service is told to forget it. */
  cancel(id: string): void {
    const item = this.#halt(id, "cancel");
    if (!item) return;
    void item.transport?.cancel();
    item.bookmark?.drop();
    item.transport = null;
    item.target = null;
    item.upload = null;
    item.sent = 0;
  }

  /** Go on with a paused, failed or cancelled file, or try again at once where one waits for its line. */
  retry(id: string): void {
    const item = this.#items.get(id);
    if (!item) return;
    if (item.state === "offline") item.transport?.start();
    else if (can(item.state, "resume")) this.#move(item, "resume", null);
    else if (can(item.state, "retry")) this.#move(item, "retry", null);
    else return;
    if (item.state === "waiting") void this.#run(item);
  }

  /** Take a file that is at its end off the list. */
  remove(id: string): void {
    const item = this.#items.get(id);
    if (!item || isUnderway(item.state)) return;
    this.#items.delete(id);
    this.#hear(item, "removed");
  }

  /** Try those again that lacked a token. */
  tokenCame(): void {
    for (const item of this.#items.values()) {
      if (item.state === "failed" && item.code && TOKENS.has(item.code)) this.retry(item.id);
    }
  }

  /** Let go of the network, as when the widget leaves the page. */
  suspend(): void {
    for (const item of this.#items.values()) {
      if (!isLive(item.state)) continue;
      this.#suspended.push(item);
      item.halt.abort();
      item.transport?.stop();
      if (can(item.state, "pause")) this.#move(item, "pause", null);
    }
  }

  /** Go on with what `suspend` stopped. */
  wake(): void {
    for (const item of this.#suspended.splice(0)) {
      if (item.state === "scanning") void this.#ask(item);
      else this.retry(item.id);
    }
  }

  async #run(item: Item): Promise<void> {
    const { signal } = this.#renew(item);
    const limits = await this.#limits();
    if (signal.aborted) return;
    const target = (item.target ??= this.#target());
    // From now on no other of the same name goes on with it.
    const known = (item.upload ??= this.#resumable(item, target));
    if (!known && !item.limits) {
      const against = objection(this.#narrowed(limits), item.name, item.size);
      if (against) return this.#end(item, "refuse", against, "");
    }
    item.limits = limits;
    const free = await SENDING.take(signal);
    if (!free) return;
    signal.addEventListener("abort", free);
    if (signal.aborted) return free();
    this.#move(item, "begin", null);
    item.transport ??= this.#transport(item, target, known);
    item.transport.start();
  }

  #transport(item: Item, target: Target, known: string | null): Transport {
    const { service, meeting } = target;
    if (known) item.bookmark?.put(known);
    const ends = (move: Move) => (code: string, advice: string) => {
      item.halt.abort();
      item.transport?.stop();
      this.#end(item, move, code, advice);
    };
    const hearer: Hearer = {
      named: (id) => {
        item.upload = id;
        if (id) item.bookmark?.put(id);
      },
      progress: (sent) => {
        item.sent = sent;
        item.pace.note(performance.now(), sent);
        this.#hear(item, "progress");
      },
      lost: (code) => this.#move(item, "lose", code),
      back: () => this.#move(item, "begin", null),
      stored: () => {
        item.sent = item.size;
        item.transport?.stop();
        item.halt.abort();
        this.#move(item, "store", null);
        void this.#ask(item);
      },
      kept: (id) => {
        if (item.state !== "cancelled") return;
        item.upload = id;
        item.target = target;
        this.retry(item.id);
      },
      refused: ends("refuse"),
      failed: ends("fail"),
    };
    return new Transport({ file: item.file!, service, meeting, known, line: this.#line }, hearer);
  }

  async #ask(item: Item): Promise<void> {
    const { signal } = this.#renew(item);
    for (let attempt = 0; !signal.aborted; ) {
      const free = await ASKING.take(signal);
      if (!free) return;
      const asked = performance.now();
      try {
        const crowded = this.pictures.filter((one) => one.state === "scanning").length > 2;
        const reading = readUpload(await item.target!.service.upload(item.upload!, crowded ? SHORT_WAIT : LONG_WAIT, signal), item.upload!);
        if (signal.aborted) return;
        if (reading) {
          item.verdict = reading.verdict;
          item.bookmark?.drop();
          return this.#end(item, reading.move, reading.code, reading.advice);
        }
        attempt = 0;
      } catch (error) {
        if (signal.aborted) return;
        const code = lasting(error);
        if (code) {
          if (!TOKENS.has(code)) item.bookmark?.drop();
          return this.#end(item, "fail", code, "");
        }
        attempt += 1;
      } finally {
        free();
      }
      const rest = attempt ? backoff(attempt - 1) : BETWEEN - (performance.now() - asked);
      if (rest > 0) await pause(rest, signal, this.#line);
    }
  }

  /** Return the id of an upload of the same file that can be gone on with. */
  #resumable(item: Item, { service, meeting, resume }: Target): string | null {
    const { name, size, lastModified } = item.file!;
    item.bookmark = resume.at({ endpoint: service.base, meeting: meeting ?? "", name, size, lastModified });
    const known = item.bookmark.find();
    // The same file twice in one list is two uploads: the first has the key.
    const taken = [...this.#items.values()].some((other) => other !== item && other.upload === known);
    if (!taken || known === null) return known;
    item.bookmark = null;
    return null;
  }

  /** What the limits leave besides the files that were added since they were read. */
  #narrowed(limits: Limits): Limits {
    let { files, bytes } = limits;
    for (const item of this.#items.values()) {
      if (item.limits !== limits || item.state === "refused" || item.state === "cancelled") continue;
      files -= 1;
      bytes -= item.size;
    }
    return { ...limits, files, bytes };
  }

  #halt(id: string, move: Move): Item | null {
    const item = this.#items.get(id);
    if (!item || !can(item.state, move)) return null;
    item.halt.abort();
    item.transport?.stop();
    this.#move(item, move, null);
    return item;
  }

  #renew(item: Item): AbortController {
    item.halt.abort();
    item.halt = new AbortController();
    return item.halt;
  }

  #end(item: Item, move: Move, code: string | null, advice: string): void {
    item.advice = advice;
    this.#move(item, move, code);
    if (isVerdict(item.state)) item.bookmark?.drop();
  }

  /** Moves that the table does not list from here are what another cause has overtaken: nothing happens. */
  #move(item: Item, move: Move, code: string | null): void {
    if (!can(item.state, move)) return;
    item.state = after(item.state, move);
    item.code = code;
    if (item.state !== "uploading") item.pace.reset();
    this.#hear(item, "state");
  }
}

const TOKENS: ReadonlySet<string> = new Set([
  "no_token",
  "token_unavailable",
  "grant_expired",
  "unauthenticated",
]);

/** Return the code of an error after which asking again is no use, or `null`. */
function lasting(error: unknown): string | null {
  if (error instanceof LineLost) return null;
  if (error instanceof NoToken) return error.code === "token_unavailable" ? null : error.code;
  if (!(error instanceof Problem)) return "unexpected";
  return error.status >= 500 || error.status === 429 || error.code === "bad_answer" ? null : error.code;
}
