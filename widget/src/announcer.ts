/**
 * What a screen reader hears: of one file or several together the start, a quarter, a half, three quarters,
 * all, scanning, and each verdict; each once, and never more than one text a second.
 */

import { advice, stateName } from "./advice.ts";
import type { Picture } from "./item.ts";
import { shownName } from "./names.ts";
import { isUnderway, type State } from "./state.ts";
import type { Translator } from "./translator.ts";
import type { Change } from "./uploads.ts";

export interface Voice {
  polite(lines: readonly string[]): void;
  alert(lines: readonly string[]): void;
}

/** Milliseconds between two texts, and for what comes together to be said together. */
const RHYTHM = 1000;
const GATHER = 100;
/** More verdicts of a kind at once than these are counted, not listed. */
const MOST_NAMES = 2;
const ALERTS: ReadonlySet<State> = new Set(["blocked", "failed"]);
const TOLD: ReadonlySet<State> = new Set(["released", "held", "blocked", "refused", "failed"]);
const GONE: ReadonlySet<State> = new Set(["refused", "failed", "cancelled"]);
const QUARTERS = [100, 75, 50, 25];

export class Announcer {
  readonly #voice: Voice;
  readonly #translator: () => Translator;
  readonly #later: (work: () => void, milliseconds: number) => void;
  /** Files that are told of together: those added until all of them had come to rest. */
  #batch = new Set<string>();
  #rested = true;
  #said = new Set<string | number>();
  #start: string | null = null;
  #percent: string | null = null;
  #scanning: string | null = null;
  #offline: string | null = null;
  #ends: Picture[] = [];
  #waiting = false;
  #resting = false;

  constructor(
    voice: Voice,
    translator: () => Translator,
    later: (work: () => void, milliseconds: number) => void = (work, time) => void setTimeout(work, time),
  ) {
    this.#voice = voice;
    this.#translator = translator;
    this.#later = later;
  }

  /** Take in what changed for `one` of `all` files. */
  hear(all: readonly Picture[], one: Picture, change: Change): void {
    if (this.#rested && (change === "added" || one.state === "waiting")) this.#begin();
    if (change === "removed") this.#batch.delete(one.id);
    else this.#batch.add(one.id);
    const batch = all.filter((picture) => this.#batch.has(picture.id));
    if (change === "state") this.#state(one);
    this.#milestones(batch.filter((picture) => !GONE.has(picture.state)));
    this.#rested = !batch.some((picture) => isUnderway(picture.state));
    this.#schedule(GATHER);
  }

  #begin(): void {
    this.#batch = new Set();
    this.#said = new Set();
    this.#rested = false;
  }

  #state(one: Picture): void {
    if (TOLD.has(one.state)) this.#ends.push(one);
    else if (one.state === "offline" && this.#once("offline")) {
      const t = this.#translator();
      this.#offline = `${stateName(t, one)}. ${advice(t, one)}`;
    }
  }

  #milestones(batch: readonly Picture[]): void {
    const t = this.#translator();
    if (batch.every((one) => one.state === "waiting")) return;
    if (this.#once("start")) this.#start = this.#together(batch, t.text("uploading"));
    const sum = (bytes: (one: Picture) => number) => batch.reduce((total, one) => total + bytes(one), 0);
    const percent = (sum((one) => one.sent) / sum((one) => one.size)) * 100;
    const quarter = QUARTERS.find((one) => percent >= one);
    if (quarter && !QUARTERS.some((one) => one >= quarter && this.#said.has(one))) {
      this.#said.add(quarter);
      this.#percent = this.#together(batch, t.percent(quarter / 100));
    }
    const scanning = batch.filter((one) => one.state === "scanning");
    const sent = batch.every((one) => one.state === "scanning" || !isUnderway(one.state));
    if (scanning.length && sent && this.#once("scanning")) {
      this.#scanning = this.#together(scanning, t.text("scanning"));
    }
  }

  /** Say `state` of one file by its name, of several by their number. */
  #together(some: readonly Picture[], state: string): string {
    const t = this.#translator();
    return some.length === 1
      ? t.text("saidState", { name: shownName(some[0]!.name), state })
      : t.count("saidStates", some.length, { state });
  }

  #once(what: string): boolean {
    if (this.#said.has(what)) return false;
    this.#said.add(what);
    return true;
  }

  #schedule(time: number): void {
    if (this.#waiting || this.#resting) return;
    this.#waiting = true;
    this.#later(() => {
      this.#waiting = false;
      this.#flush();
    }, time);
  }

  #flush(): void {
    const ends = this.#ends.splice(0);
    const milestones = [this.#start, this.#offline, this.#percent, this.#scanning].filter((one) => one !== null);
    this.#start = this.#offline = this.#percent = this.#scanning = null;
    const polite = [...milestones, ...this.#told(ends.filter((one) => !ALERTS.has(one.state)))];
    const alert = this.#told(ends.filter((one) => ALERTS.has(one.state)));
    if (polite.length) this.#voice.polite(polite);
    if (alert.length) this.#voice.alert(alert);
    if (!polite.length && !alert.length) return;
    this.#resting = true;
    this.#later(() => {
      this.#resting = false;
      this.#schedule(0);
    }, RHYTHM);
  }

  #told(ends: readonly Picture[]): string[] {
    const t = this.#translator();
    return [...new Set(ends.map((one) => one.state))].flatMap((key) => {
      const some = ends.filter((one) => one.state === key);
      const state = t.text(key);
      return some.length > MOST_NAMES
        ? [this.#together(some, state)]
        : some.map((one) => `${this.#together([one], state)}. ${advice(t, one)}`);
    });
  }
}
