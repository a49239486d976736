import assert from "node:assert/strict";
import { test } from "node:test";
import { HostLink } from "../src/host-link.ts";

const MEET = "https://meet.example";
const TOKEN = "eyJh.eyJi.c2ln";
const OTHER = "eyJh.eyJj.c2ln";

/** A host window that keeps what it is told, and an iframe that is tied to it. */
function tied(origins = [MEET, "https://app.example"]) {
  const told: { message: unknown; to: string }[] = [];
  const host = { postMessage: (message: unknown, to: string) => told.push({ message, to }) };
  const tokens: string[] = [];
  const link = new HostLink(host, new Set(origins), (token) => tokens.push(token));
  const say = (data: unknown, origin = MEET, source: unknown = host) => link.receive({ source, origin, data });
  return { link, told, tokens, say };
}

const token = (more: object = {}) => ({ source: "greenroom", type: "token", token: TOKEN, ...more });
const wanted = { meeting: "m1", reason: "missing" } as const;

test("ready goes to anybody and holds nothing", () => {
  const { link, told } = tied();
  link.ready();
  assert.deepEqual(told, [{ message: { source: "greenroom", type: "ready" }, to: "*" }]);
});

test("nothing else is told before a listed origin has answered, then all of it, to that origin only", () => {
  const { link, told, say } = tied();
  link.send({ type: "resize", height: 120 });
  link.send({ type: "event", name: "file-added", detail: { name: "deck.pptx" } });
  say(token(), "https://evil.example");
  assert.equal(told.length, 0);
  say(token({ token: null }));
  link.send({ type: "resize", height: 240 });
  assert.deepEqual(told.map((one) => one.to), [MEET, MEET, MEET]);
  assert.deepEqual(told[0]?.message, { source: "greenroom", type: "resize", height: 120 });
  assert.deepEqual(told[2]?.message, { source: "greenroom", type: "resize", height: 240 });
});

test("only the parent window of a listed origin is heard", () => {
  const { tokens, say } = tied();
  for (const origin of ["https://evil.example", "http://meet.example", "https://meet.example:8443", "null", ""]) {
    say(token(), origin);
  }
  say(token(), MEET, {});
  say(token(), MEET, null);
  assert.deepEqual(tokens, []);
  say(token());
  assert.deepEqual(tokens, [TOKEN]);
});

test("without listed origins nobody is heard", () => {
  const { tokens, say } = tied([]);
  say(token());
  say(token(), "");
  assert.deepEqual(tokens, []);
});

test("a message of any other shape is passed over and does not make its sender the host", () => {
  const { link, told, tokens, say } = tied();
  link.send({ type: "resize", height: 1 });
  const odd: unknown[] = [
    null, undefined, 7, "token", [], {}, TOKEN,
    token({ source: "greenroom2" }),
    token({ type: "tokens" }),
    token({ more: 1 }),
    token({ id: 1 }),
    token({ id: null }),
    token({ token: undefined }),
    token({ token: 7 }),
    token({ token: "" }),
    token({ token: "gr_0123456789ab.c2VjcmV0" }),
    token({ token: `${TOKEN}\n` }),
    token({ token: `a.b.${"c".repeat(8192)}` }),
    { source: "greenroom", type: "token" },
    { source: "greenroom", type: "ready" },
  ];
  for (const data of odd) say(data);
  assert.deepEqual([told, tokens], [[], []]);
});

test("a wish for a token is answered by its id", async () => {
  const { link, told, tokens, say } = tied();
  say(token({ token: null }));
  const first = link.askForToken(wanted);
  const second = link.askForToken({ meeting: null, reason: "expiring" });
  const [one, two] = told.map((each) => each.message as { id: string });
  assert.deepEqual(one, { source: "greenroom", type: "token-wanted", id: one?.id, meeting: "m1", reason: "missing" });
  say(token({ id: two?.id, token: OTHER }));
  say(token({ id: one?.id }));
  assert.deepEqual(await Promise.all([first, second]), [TOKEN, OTHER]);
  assert.deepEqual(tokens, []);
});

test("an answer to nothing that was asked gives no token", () => {
  const { tokens, say } = tied();
  say(token({ id: "99" }));
  assert.deepEqual(tokens, []);
});

test("a host that has no token says so, and the wish is refused", async () => {
  const { link, told, say } = tied();
  say(token({ token: null }));
  const asked = link.askForToken(wanted);
  say(token({ id: (told[0]?.message as { id: string }).id, token: null }));
  await assert.rejects(asked, /no token/);
});

test("a wish from before the first answer is met by it, and not told any more", async () => {
  const { link, told, tokens, say } = tied();
  const asked = link.askForToken(wanted);
  say(token());
  assert.equal(await asked, TOKEN);
  assert.deepEqual([told, tokens], [[], [TOKEN]]);
});

test("a wish from before an empty first answer is told then", () => {
  const { link, told, say } = tied();
  void link.askForToken(wanted);
  say(token({ token: null }));
  assert.equal((told[0]?.message as { type: string }).type, "token-wanted");
});
