import assert from "node:assert/strict";
import { test } from "node:test";
import type { Picture } from "../src/item.ts";
import type { Limits } from "../src/limits.ts";
import { Problem, LineLost, NoToken } from "../src/problem.ts";
import { ResumeKeys, type Shelf } from "../src/resume.ts";
import type { State } from "../src/state.ts";
import { Uploads } from "../src/uploads.ts";
import { FakeLine, FakeService } from "./service.ts";

const SIZE = 1000;
const CLEAN = { state: "released", reason: null, verdict: { kind: "clean", code: "clean" } };
const LIMITS: Limits = { size: 10_000, types: ["pdf"], files: Infinity, bytes: Infinity };

/** A widget's files over a service and a line, and everything that happened to them. */
class Desk {
  readonly service = new FakeService();
  readonly line = new FakeLine();
  readonly states: string[] = [];
  readonly shelf = new Map<string, string>();
  readonly keys: Shelf;
  readonly uploads: Uploads;
  #watchers: Array<() => void> = [];

  constructor(limits: Limits = LIMITS) {
    const shelf: Shelf = (this.keys = {
      length: 0,
      key: () => null,
      getItem: (key) => this.shelf.get(key) ?? null,
      setItem: (key, value) => void this.shelf.set(key, value),
      removeItem: (key) => void this.shelf.delete(key),
    });
    const target = () => ({ service: this.service, meeting: "m", resume: new ResumeKeys(shelf) });
    this.uploads = new Uploads(target, async () => limits, this.line, (item, change) => {
      if (change === "state") this.states.push(item.state);
      for (const watcher of this.#watchers) watcher();
    });
  }

  get file(): Picture {
    return this.uploads.pictures[0]!;
  }

  add(name = "a.pdf", size = SIZE): void {
    this.uploads.add(new File([new Uint8Array(size)], name, { lastModified: 1 }));
  }

  /** Wait for what `happened` tells of: it is asked after every change. */
  until(happened: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const watch = () => happened() && resolve();
      this.#watchers.push(watch);
      watch();
    });
  }

  ends(state: State): Promise<void> {
    return this.until(() => this.file.state === state);
  }

  /** Wait for `what` without any of the waits on its way: each ends when the line comes back. */
  async hurried(what: Promise<void>): Promise<void> {
    const nudge = setInterval(() => this.line.come(), 1);
    await what.finally(() => clearInterval(nudge));
  }

  /** Let the next request of `method` wait; returns when it arrives and what lets it go on. */
  hold(method: string): { arrived: Promise<void>; go: () => void } {
    let arrive = () => {};
    let go = () => {};
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    this.service.gate = { method, arrived: arrive, go: new Promise((resolve) => (go = resolve)) };
    return { arrived, go };
  }
}

test("a clean file goes the whole way, and is released only after it was scanning", async () => {
  const desk = new Desk();
  desk.service.documents.push({ state: "scanning" }, CLEAN);
  desk.add();
  await desk.hurried(desk.ends("released"));
  assert.deepEqual(desk.states, ["uploading", "scanning", "released"]);
  assert.deepEqual(desk.service.log, ["POST", "PATCH 0"]);
  assert.equal(desk.shelf.size, 0);
});

test("all bytes sent is scanning, not released, for as long as the service says nothing else", async () => {
  const desk = new Desk();
  desk.add();
  await desk.ends("scanning");
  assert.equal(desk.file.sent, SIZE);
  assert.equal(desk.shelf.size, 1);
  desk.uploads.suspend();
});

test("each end of the service is shown as what it is", async () => {
  for (const [state, shown] of [["held", "held"], ["blocked", "blocked"], ["refused", "refused"], ["abandoned", "failed"]] as const) {
    const desk = new Desk();
    desk.service.documents.push({ state, reason: "why", verdict: null });
    desk.add();
    await desk.ends(shown);
    assert.equal(desk.file.code, "why");
    assert.equal(desk.shelf.size, 0);
  }
});

test("what the limits refuse costs no request", async () => {
  const desk = new Desk({ ...LIMITS, files: 1 });
  desk.add("a.exe");
  desk.add("b.pdf", 20_000);
  desk.uploads.add("folder");
  desk.add("c.pdf");
  desk.add("d.pdf");
  await desk.until(() => desk.uploads.pictures.filter((one) => one.state === "refused").length === 4);
  assert.deepEqual(
    desk.uploads.pictures.map((one) => one.code),
    ["type_not_allowed", "too_large", "folder", null, "quota_exceeded"],
  );
  assert.ok(!desk.service.log.slice(1).includes("POST"));
  desk.uploads.suspend();
});

test("after a cut the upload goes on where the service is, without a word if once is enough", async () => {
  const desk = new Desk();
  desk.service.cuts.push(400);
  desk.service.documents.push(CLEAN);
  desk.add();
  await desk.ends("released");
  assert.deepEqual(desk.service.log, ["POST", "PATCH 0", "HEAD", "PATCH 400"]);
  assert.ok(!desk.states.includes("offline"));
});

test("a line that stays away is offline, and when it is back the upload goes on", async () => {
  const desk = new Desk();
  desk.service.cuts.push(400);
  desk.service.documents.push(CLEAN);
  desk.service.troubles.push({ method: "HEAD", error: new LineLost() });
  desk.add();
  await desk.ends("offline");
  desk.line.come();
  await desk.ends("released");
  assert.deepEqual(desk.states, ["uploading", "offline", "uploading", "scanning", "released"]);
  assert.equal(desk.service.log.at(-1), "PATCH 400");
});

test("the browser's word that the line fell is enough to stop sending", async () => {
  const desk = new Desk();
  const { arrived, go } = desk.hold("PATCH");
  desk.add();
  await arrived;
  desk.line.fall();
  await desk.ends("offline");
  go();
  desk.service.documents.push(CLEAN);
  desk.line.come();
  await desk.ends("released");
});

test("403, 401 and 503 to HEAD never make the upload forgotten", async () => {
  for (const error of [new Problem(403, "forbidden", ""), new Problem(401, "unauthenticated", ""), new Problem(503, "overloaded", "")]) {
    const desk = new Desk();
    desk.service.cuts.push(400);
    desk.service.troubles.push({ method: "HEAD", error });
    desk.add();
    await desk.until(() => desk.file.state === "failed" || desk.file.state === "offline");
    desk.service.documents.push(CLEAN);
    desk.uploads.retry(desk.file.id);
    await desk.ends("released");
    assert.equal(desk.service.keys.length, 1, error.code);
    assert.equal(desk.service.log.at(-1), "PATCH 400");
  }
});

test("an upload that the service knows no longer is begun anew, under another name", async () => {
  const desk = new Desk();
  desk.service.cuts.push(400);
  desk.service.documents.push(CLEAN);
  const { arrived, go } = desk.hold("HEAD");
  desk.add();
  await arrived;
  desk.service.uploads.clear();
  go();
  await desk.ends("released");
  assert.equal(new Set(desk.service.keys).size, 2);
  assert.equal(desk.service.uploads.size, 1);
});

test("a creation whose answer was lost is asked for again under the same name: one upload", async () => {
  const desk = new Desk();
  desk.service.troubles.push({ method: "POST", error: new LineLost() });
  desk.service.documents.push(CLEAN);
  desk.add();
  await desk.ends("released");
  assert.deepEqual([desk.service.keys.length, new Set(desk.service.keys).size], [1, 1]);
  assert.equal(desk.service.log.filter((one) => one === "POST").length, 2);
});

test("where nobody takes creations the file fails, instead of waiting for ever", async () => {
  const desk = new Desk();
  desk.service.troubles.push({ method: "POST", error: new Problem(404, "http_404", "") });
  desk.add();
  await desk.ends("failed");
});

test("what the service refuses at the door is refused with its code", async () => {
  for (const [status, code] of [[413, "too_large"], [415, "type_not_allowed"], [403, "quota_exceeded"], [400, "bad_request"]] as const) {
    const desk = new Desk();
    desk.service.troubles.push({ method: "POST", error: new Problem(status, code, "Theirs.") });
    desk.add();
    await desk.ends("refused");
    assert.deepEqual([desk.file.code, desk.file.advice], [code, "Theirs."]);
  }
});

test("a pause stops the bytes and keeps the upload; going on begins where it stopped", async () => {
  const desk = new Desk();
  desk.service.cuts.push(400);
  const { arrived, go } = desk.hold("HEAD");
  desk.add();
  await arrived;
  desk.uploads.pause(desk.file.id);
  go();
  assert.deepEqual([desk.file.state, desk.shelf.size, desk.service.uploads.size], ["paused", 1, 1]);
  desk.service.documents.push(CLEAN);
  desk.uploads.retry(desk.file.id);
  await desk.ends("released");
  assert.equal(desk.service.keys.length, 1);
});

test("a cancelled file is deleted at the service, even if its creation is answered only later", async () => {
  for (const method of ["PATCH", "POST"]) {
    const desk = new Desk();
    const { arrived, go } = desk.hold(method);
    desk.add();
    await arrived;
    const end = desk.hold("DELETE");
    desk.uploads.cancel(desk.file.id);
    assert.deepEqual([desk.file.state, desk.shelf.size], ["cancelled", 0]);
    go();
    await end.arrived;
    end.go();
    desk.service.documents.push(CLEAN);
    desk.uploads.retry(desk.file.id);
    await desk.ends("released");
    assert.equal(desk.service.uploads.size, 1, method);
  }
});

test("a file that is cancelled when the service has all of it is not called cancelled: its verdict is still to come", async () => {
  const desk = new Desk();
  const end = desk.hold("DELETE");
  desk.service.cuts.push(SIZE);
  desk.service.troubles.push({ method: "HEAD", error: new LineLost() });
  desk.service.documents.push(CLEAN);
  desk.add();
  await desk.ends("offline");
  desk.uploads.cancel(desk.file.id);
  await end.arrived;
  assert.equal(desk.file.state, "cancelled");
  end.go();
  await desk.ends("released");
  assert.equal(desk.service.uploads.size, 1);
});

test("the service is told of a cancelled file however long the line is away", async () => {
  const desk = new Desk();
  const { arrived, go } = desk.hold("PATCH");
  desk.add();
  await arrived;
  for (let at = 0; at < 9; at += 1) desk.service.troubles.push({ method: "DELETE", error: new LineLost() });
  desk.uploads.cancel(desk.file.id);
  go();
  while (desk.service.uploads.size > 0) {
    desk.line.come();
    await new Promise(setImmediate);
  }
  assert.equal(desk.service.troubles.length, 0);
});

test("the same file twice in one list after a reload: one goes on, the other is an upload of its own", async () => {
  const desk = new Desk();
  desk.service.uploads.set("up_old", { length: SIZE, offset: 400, key: "old" });
  new ResumeKeys(desk.keys).at({ endpoint: desk.service.base, meeting: "m", name: "a.pdf", size: SIZE, lastModified: 1 }).put("up_old");
  desk.service.documents.push(CLEAN, CLEAN);
  desk.add();
  desk.add();
  await desk.until(() => desk.uploads.pictures.every((one) => one.state === "released"));
  assert.deepEqual(desk.uploads.pictures.map((one) => one.upload).sort(), ["up_1", "up_old"]);
});

test("after a reload the same file goes on where it was", async () => {
  const first = new Desk();
  first.service.cuts.push(400);
  first.service.troubles.push({ method: "HEAD", error: new LineLost() });
  first.add();
  await first.ends("offline");
  first.uploads.suspend();
  const second = new Desk();
  for (const [key, value] of first.shelf) second.shelf.set(key, value);
  for (const [id, upload] of first.service.uploads) second.service.uploads.set(id, upload);
  second.service.documents.push(CLEAN);
  second.add();
  await second.ends("released");
  assert.deepEqual(second.service.log, ["HEAD", "PATCH 400"]);
  assert.equal(second.shelf.size, 0);
});

test("a file that lacked a token goes on when one comes, and its upload is not lost", async () => {
  const desk = new Desk();
  desk.service.documents.push(new NoToken("grant_expired"));
  desk.add();
  await desk.ends("failed");
  assert.deepEqual([desk.file.code, desk.shelf.size], ["grant_expired", 1]);
  desk.service.documents.push(CLEAN);
  desk.uploads.tokenCame();
  await desk.ends("released");
  assert.equal(desk.service.keys.length, 1);
});

test("while the verdict cannot be asked for, the file stays scanning", async () => {
  const desk = new Desk();
  desk.service.documents.push(new LineLost(), new Problem(503, "overloaded", ""), new Problem(200, "bad_answer", ""), { state: "?" }, CLEAN);
  desk.add();
  await desk.hurried(desk.ends("released"));
  assert.deepEqual(desk.states, ["uploading", "scanning", "released"]);
});

test("at most two files are on their way at a time", async () => {
  const desk = new Desk();
  let most = 0;
  for (let at = 0; at < 6; at += 1) desk.service.documents.push(CLEAN);
  const watch = desk.until(() => {
    most = Math.max(most, desk.uploads.pictures.filter((one) => one.state === "uploading").length);
    return desk.uploads.pictures.length === 6 && desk.uploads.pictures.every((one) => one.state === "released");
  });
  for (let at = 0; at < 6; at += 1) desk.add(`${at}.pdf`);
  await watch;
  assert.equal(most, 2);
});

test("what leaves the page lets go of its place and the line, and goes on when it comes back", async () => {
  const desk = new Desk();
  const { arrived } = desk.hold("PATCH");
  desk.add();
  await arrived;
  desk.uploads.suspend();
  assert.equal(desk.file.state, "paused");
  desk.service.documents.push(CLEAN);
  desk.uploads.wake();
  await desk.ends("released");
});

test("a file that can no longer be read fails and says so, instead of waiting for a line", async () => {
  const desk = new Desk();
  desk.service.cuts.push(0);
  const file = new File([new Uint8Array(SIZE)], "a.pdf");
  file.slice = () => Object.assign(new Blob(["x".repeat(SIZE)]), { arrayBuffer: () => Promise.reject(new DOMException("NotReadableError")) });
  desk.uploads.add(file);
  await desk.ends("failed");
  assert.equal(desk.file.code, "unreadable");
});

test("only what is at its end can be taken off the list", async () => {
  const desk = new Desk();
  desk.add();
  await desk.ends("scanning");
  desk.uploads.remove(desk.file.id);
  assert.equal(desk.uploads.pictures.length, 1);
  desk.uploads.suspend();
});
