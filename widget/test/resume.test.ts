import assert from "node:assert/strict";
import { test } from "node:test";
import { ResumeKeys } from "../src/resume.ts";

class MemoryShelf {
  readonly entries = new Map<string, string>();
  get length() {
    return this.entries.size;
  }
  key = (index: number) => [...this.entries.keys()][index] ?? null;
  getItem = (key: string) => this.entries.get(key) ?? null;
  setItem = (key: string, value: string) => void this.entries.set(key, value);
  removeItem = (key: string) => void this.entries.delete(key);
}

const FILE = { endpoint: "https://files.example", meeting: "town-hall", name: "deck.pptx", size: 9, lastModified: 7 };
const DAY = 86_400_000;

test("an upload is found again for the same file at the same place, and for no other", () => {
  const keys = new ResumeKeys(new MemoryShelf(), () => 0);
  keys.at(FILE).put("up_1");
  assert.equal(keys.at({ ...FILE }).find(), "up_1");
  for (const other of [{ endpoint: "https://other" }, { meeting: "x" }, { name: "x" }, { size: 8 }, { lastModified: 8 }]) {
    assert.equal(keys.at({ ...FILE, ...other }).find(), null);
  }
});

test("what is dropped leaves nothing behind", () => {
  const shelf = new MemoryShelf();
  const entry = new ResumeKeys(shelf, () => 0).at(FILE);
  entry.put("up_1");
  entry.drop();
  assert.equal(shelf.length, 0);
});

test("only the id and the time are kept, under a name of our own", () => {
  const shelf = new MemoryShelf();
  new ResumeKeys(shelf, () => 12).at(FILE).put("up_1");
  assert.deepEqual([...shelf.entries.values()], ["up_1 12"]);
  assert.ok(shelf.key(0)?.startsWith("greenroom:upload:"));
});

test("after a day an entry is gone: the service has given the upload up", () => {
  const shelf = new MemoryShelf();
  const clock = { time: 0 };
  const keys = new ResumeKeys(shelf, () => clock.time, new Set());
  keys.at(FILE).put("up_1");
  const reloaded = new ResumeKeys(shelf, () => clock.time, new Set());
  clock.time = DAY - 1;
  assert.deepEqual(reloaded.names(FILE.endpoint, FILE.meeting), ["deck.pptx"]);
  clock.time = DAY;
  assert.deepEqual(reloaded.names(FILE.endpoint, FILE.meeting), []);
  assert.equal(shelf.length, 0);
});

test("what is not an upload's id is never sent anywhere", () => {
  const shelf = new MemoryShelf();
  const entry = new ResumeKeys(shelf, () => 0).at(FILE);
  for (const odd of ["../../v1/grants 0", "https://evil.example/up_1 0", "up_1/../x 0", "up_1", ""]) {
    entry.put("up_1");
    shelf.setItem(shelf.key(0) ?? "", odd);
    assert.equal(entry.find(), null);
  }
});

test("names are told for this place only, and entries of others on the same shelf are left alone", () => {
  const shelf = new MemoryShelf();
  shelf.setItem("greenroom:upload:not json", "up_9 0");
  shelf.setItem("theirs", "up_9 0");
  const keys = new ResumeKeys(shelf, () => 0);
  keys.at(FILE).put("up_1");
  keys.at({ ...FILE, meeting: "other", name: "x" }).put("up_2");
  const reloaded = new ResumeKeys(shelf, () => 0, new Set());
  assert.deepEqual(reloaded.names(FILE.endpoint, FILE.meeting), ["deck.pptx"]);
  assert.equal(shelf.getItem("theirs"), "up_9 0");
});

test("what this page has under way is not told as left over", () => {
  const keys = new ResumeKeys(new MemoryShelf(), () => 0, new Set());
  keys.at(FILE).put("up_1");
  assert.deepEqual(keys.names(FILE.endpoint, FILE.meeting), []);
});

test("a shelf that is missing or refuses costs nothing but the resuming", () => {
  const refuse = () => {
    throw new DOMException("QuotaExceededError");
  };
  const full = { length: 1, key: refuse, getItem: refuse, setItem: refuse, removeItem: refuse };
  for (const shelf of [null, full]) {
    const keys = new ResumeKeys(shelf, () => 0);
    keys.at(FILE).put("up_1");
    assert.equal(keys.at(FILE).find(), null);
    assert.deepEqual(keys.names(FILE.endpoint, FILE.meeting), []);
    keys.at(FILE).drop();
  }
});
