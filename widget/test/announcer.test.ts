import assert from "node:assert/strict";
import { test } from "node:test";
import { Announcer } from "../src/announcer.ts";
import type { Picture } from "../src/item.ts";
import type { State } from "../src/state.ts";
import { Translator } from "../src/translator.ts";

/** A list of files, what is said of it, and a clock that goes on when it is told to. */
class Room {
  readonly polite: string[] = [];
  readonly alerts: string[] = [];
  readonly texts: number[] = [];
  readonly #files = new Map<string, Picture>();
  readonly #timers: Array<{ at: number; work: () => void }> = [];
  #time = 0;
  readonly #announcer = new Announcer(
    {
      polite: (lines) => (this.texts.push(this.#time), this.polite.push(...lines)),
      alert: (lines) => this.alerts.push(...lines),
    },
    () => new Translator(["en"]),
    (work, wait) => void this.#timers.push({ at: this.#time + wait, work }),
  );

  file(name: string, state: State, sent = 0, code: string | null = null): void {
    const known = this.#files.get(name);
    const rest = { id: name, upload: null, size: 100, advice: "", verdict: null, rate: null, left: null };
    const picture: Picture = { ...rest, name, state, sent, code };
    this.#files.set(name, picture);
    const change = !known ? "added" : known.state === state ? "progress" : "state";
    this.#announcer.hear([...this.#files.values()], picture, change);
  }

  /** Let `milliseconds` pass. */
  pass(milliseconds = 5000): void {
    const end = this.#time + milliseconds;
    for (;;) {
      this.#timers.sort((one, other) => one.at - other.at);
      const next = this.#timers[0];
      if (!next || next.at > end) break;
      this.#timers.shift();
      this.#time = next.at;
      next.work();
    }
    this.#time = end;
  }

  upload(name: string, end: State, code: string | null = null): void {
    this.file(name, "waiting");
    this.file(name, "uploading");
    for (const sent of [1, 10, 26, 30, 51, 60, 76, 99, 100]) {
      this.file(name, "uploading", sent);
      this.pass();
    }
    this.file(name, "scanning", 100);
    this.pass();
    this.file(name, end, 100, code);
    this.pass();
  }
}

test("of one file each milestone is said once, in order", () => {
  const room = new Room();
  room.upload("a.pdf", "released");
  assert.deepEqual(room.polite, [
    "a.pdf: Uploading",
    "a.pdf: 25%",
    "a.pdf: 50%",
    "a.pdf: 75%",
    "a.pdf: 100%",
    "a.pdf: Scanning for malware",
    "a.pdf: Released. No malware was found. The file is available in the meeting.",
  ]);
  assert.deepEqual(room.alerts, []);
});

test("only blocked and failed are alerts", () => {
  for (const [end, alert] of [["released", 0], ["held", 0], ["refused", 0], ["blocked", 1], ["failed", 1]] as const) {
    const room = new Room();
    room.upload("a.pdf", end);
    assert.equal(room.alerts.length, alert, end);
  }
});

test("pausing, a lost line and an offset that falls back say no milestone again", () => {
  const room = new Room();
  room.file("a.pdf", "waiting");
  room.file("a.pdf", "uploading", 60);
  room.pass();
  room.file("a.pdf", "paused", 60);
  room.file("a.pdf", "waiting", 60);
  room.file("a.pdf", "uploading", 30);
  room.pass();
  room.file("a.pdf", "offline", 30);
  room.pass();
  room.file("a.pdf", "uploading", 60);
  room.file("a.pdf", "offline", 60);
  room.file("a.pdf", "uploading", 60);
  room.pass();
  assert.deepEqual(room.polite, [
    "a.pdf: Uploading",
    "a.pdf: 50%",
    "Connection lost. The upload goes on by itself as soon as the connection is back.",
  ]);
});

test("twenty files are told of together: no more texts than one file has", () => {
  const room = new Room();
  const names = Array.from({ length: 20 }, (_, at) => `${at}.pdf`);
  for (const name of names) room.file(name, "waiting");
  for (const name of names) {
    for (const sent of [0, 30, 60, 100]) room.file(name, "uploading", sent);
    room.file(name, "scanning", 100);
    room.pass();
  }
  for (const name of names) room.file(name, "released", 100);
  room.pass();
  assert.deepEqual(room.polite, [
    "20 files: Uploading",
    "20 files: 25%",
    "20 files: 50%",
    "20 files: 75%",
    "20 files: 100%",
    "20 files: Scanning for malware",
    "20 files: Released",
  ]);
});

test("what comes in a rush is said at most once a second, the newest share of it only", () => {
  const room = new Room();
  room.file("a.pdf", "waiting");
  for (let sent = 0; sent <= 100; sent += 1) {
    room.file("a.pdf", "uploading", sent);
    room.pass(5);
  }
  room.pass();
  assert.deepEqual(room.polite, ["a.pdf: Uploading", "a.pdf: 100%"]);
  room.texts.slice(1).forEach((at, index) => assert.ok(at - room.texts[index]! >= 1000));
});

test("a file that comes when all others are at rest is told of by itself", () => {
  const room = new Room();
  room.upload("a.pdf", "released");
  room.polite.length = 0;
  room.upload("b.pdf", "held", "encrypted");
  assert.equal(room.polite[0], "b.pdf: Uploading");
  assert.match(room.polite.at(-1)!, /^b\.pdf: Held for review\. .*Remove the password/);
});

test("a file that is refused at once is no upload: only the refusal is said", () => {
  const room = new Room();
  room.file("a.exe", "waiting");
  room.file("a.exe", "refused", 0, "type_not_allowed");
  room.pass();
  assert.equal(room.polite.length, 1);
  assert.match(room.polite[0]!, /^a\.exe: Not accepted\./);
});
