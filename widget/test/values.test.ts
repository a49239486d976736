import assert from "node:assert/strict";
import { test } from "node:test";
import { extension, narrow, objection } from "../src/limits.ts";
import { shownName } from "../src/names.ts";
import { Pace } from "../src/pace.ts";
import { backoff } from "../src/patience.ts";
import { readProblem } from "../src/problem.ts";
import { Slots } from "../src/slots.ts";
import { readUpload } from "../src/verdict.ts";

const POLICY = { size: 100, types: ["pptx", "pdf"] };

test("speed: a steady line shows its rate, and the time left follows from it", () => {
  const pace = new Pace();
  for (let at = 0; at <= 10_000; at += 500) pace.note(at, at * 2);
  assert.equal(Math.round(pace.rate ?? 0), 2000);
  assert.equal(Math.round(pace.left(40_000) ?? 0), 10);
});

test("speed: nothing is said in the first second", () => {
  const pace = new Pace();
  pace.note(0, 0);
  pace.note(900, 900_000);
  assert.deepEqual([pace.rate, pace.left(1_000_000)], [null, null]);
});

test("speed: one burst moves the number less than halfway, a lasting change all the way", () => {
  const pace = new Pace();
  for (let at = 0; at <= 10_000; at += 500) pace.note(at, at);
  pace.note(10_500, 20_000);
  assert.ok((pace.rate ?? 0) < 1000 + 19_000 / 2);
  for (let at = 11_000; at <= 60_000; at += 500) pace.note(at, 20_000 + (at - 10_500) * 5);
  assert.equal(Math.round(pace.rate ?? 0), 5000);
});

test("speed: a pause, or an offset that falls back, begins anew", () => {
  const pace = new Pace();
  for (let at = 0; at <= 5000; at += 500) pace.note(at, at);
  pace.note(6000, 100);
  assert.equal(pace.rate, null);
});

test("limits: a grant narrows the policy and cannot widen it", () => {
  const grant = { meeting: "m", types: ["pdf", "exe"], files: 2, bytes: 50 };
  assert.deepEqual(narrow(POLICY, grant), { size: 100, types: ["pdf"], files: 2, bytes: 50 });
  assert.deepEqual(narrow(POLICY, { ...grant, types: [] }).types, POLICY.types);
  assert.equal(narrow(POLICY, null).files, Infinity);
});

test("limits: each is refused by its own code, and what fits is not refused", () => {
  const limits = narrow(POLICY, { meeting: "m", types: [], files: 1, bytes: 60 });
  assert.equal(objection(limits, "Deck.PPTX", 60), null);
  assert.equal(objection(limits, "deck.exe", 1), "type_not_allowed");
  assert.equal(objection(limits, "pptx", 1), "type_not_allowed");
  assert.equal(objection(limits, "a.pdf", 101), "too_large");
  assert.equal(objection(limits, "a.pdf", 61), "quota_exceeded");
  assert.equal(objection({ ...limits, files: 0 }, "a.pdf", 1), "quota_exceeded");
  assert.equal(extension("a.tar.GZ"), "gz");
});

test("names: what could make a name look like another is not shown", () => {
  assert.equal(shownName("invoice\u202efdp.exe"), "invoicefdp.exe");
  assert.equal(shownName("a\u2066b\u2069\u200fc\u0000\u001b[31m.txt"), "abc[31m.txt");
  assert.equal(shownName("two\r\nlines\u2028.txt"), "two lines .txt");
  assert.equal(shownName("\u2800\u3164\u200b"), "?");
  assert.equal(shownName("عرض 2026.pptx"), "عرض 2026.pptx");
});

test("names: one that is too long keeps its extension", () => {
  const shown = shownName(`${"a".repeat(300)}.pptx`);
  assert.ok(shown.length < 100 && shown.endsWith("a.pptx") && shown.includes("…"));
});

test("verdicts: released is said for the state released and for nothing else", () => {
  for (const state of ["receiving", "quarantined", "scanning", "cleared", "Released", "RELEASED", "clean", "", null, 1, {}]) {
    assert.equal(readUpload({ id: "up_1", state, verdict: { kind: "clean", code: "clean" } }, "up_1"), null, String(state));
  }
  for (const odd of [null, undefined, 7, "released", [], {}, { id: "up_1", state: "toString" }, { id: "up_1", state: "__proto__" }]) {
    assert.equal(readUpload(odd, "up_1"), null);
  }
  const released = { id: "up_1", state: "released", reason: null, verdict: { code: "clean" } };
  assert.equal(readUpload(released, "up_1")?.move, "release");
  assert.equal(readUpload(released, "up_2"), null, "another upload's document");
});

test("verdicts: the reason goes before the verdict's code, and a copy is kept that nobody changes", () => {
  const read = readUpload({ id: "up_1", state: "held", reason: "encrypted", advice: "…", verdict: { code: "other" } }, "up_1");
  assert.deepEqual([read?.move, read?.code], ["hold", "encrypted"]);
  assert.ok(Object.isFrozen(read?.verdict));
  assert.equal(readUpload({ id: "up_1", state: "abandoned", reason: "expired", verdict: null }, "up_1")?.move, "fail");
});

test("problems: an answer that is not ours still has a code", () => {
  for (const body of ["<html>", "", "null", "[]", '{"code": 7}']) assert.equal(readProblem(502, body, null).code, "http_502");
  const ours = readProblem(503, '{"code": "overloaded", "detail": "Later."}', "5");
  assert.deepEqual([ours.code, ours.message, ours.retryAfter], ["overloaded", "Later.", 5]);
  assert.equal(readProblem(503, "", "99999999999").retryAfter, 3600);
});

test("patience: waits grow, stay within 30 s and a quarter, and never vanish", () => {
  assert.ok(backoff(0, () => 0) >= 750);
  assert.ok(backoff(99, () => 1) <= 37_500);
  assert.ok(backoff(3, () => 0.5) > backoff(2, () => 0.5));
});

test("slots: no more than there are places, and whoever waited longest is next", async () => {
  const slots = new Slots(1);
  const never = new AbortController().signal;
  const order: string[] = [];
  const first = await slots.take(never);
  const second = slots.take(never).then((free) => (order.push("second"), free));
  const third = slots.take(never).then((free) => (order.push("third"), free));
  first?.();
  first?.();
  (await second)?.();
  (await third)?.();
  assert.deepEqual(order, ["second", "third"]);
});

test("slots: one that gives up waiting takes no place and wakes the next", async () => {
  const slots = new Slots(1);
  const never = new AbortController().signal;
  const held = await slots.take(never);
  const impatient = new AbortController();
  const gaveUp = slots.take(impatient.signal);
  const next = slots.take(never);
  impatient.abort();
  assert.equal(await gaveUp, null);
  held?.();
  assert.ok(await next);
});
