import assert from "node:assert/strict";
import { test } from "node:test";
import { authorised, endOf, TokenKeeper, type Wanted } from "../src/grant.ts";
import { NoToken } from "../src/problem.ts";

const MINUTE = 60_000;
const code = (code: string) => (error: unknown) => error instanceof NoToken && error.code === code;

/** A token that says it was made at `iat` and ends at `exp`, both in milliseconds. */
function token(iat: number, exp: number, id = "a"): string {
  const claims = Buffer.from(JSON.stringify({ iat: iat / 1000, exp: exp / 1000, jti: id })).toString("base64url");
  return `head.${claims}.signature`;
}

function keeperAt(time: number) {
  const clock = { time };
  return { clock, keeper: new TokenKeeper(() => clock.time) };
}

/** A provider that hands out `tokens` one after the other and notes why it was asked. */
function provider(...tokens: string[]) {
  const reasons: Wanted[] = [];
  const give = async ({ reason }: { reason: Wanted }) => {
    reasons.push(reason);
    const next = tokens.shift();
    if (next === undefined) throw new Error("the backend is away");
    return next;
  };
  return { reasons, give };
}

test("a token that is far from its end is used without asking anybody", async () => {
  const { keeper } = keeperAt(0);
  const { reasons, give } = provider();
  keeper.provider = give;
  keeper.token = token(0, 10 * MINUTE);
  assert.equal(await keeper.get(), keeper.token);
  assert.deepEqual(reasons, []);
});

test("30 seconds before its end a token is replaced, and why is said", async () => {
  const { clock, keeper } = keeperAt(0);
  const later = token(9.5 * MINUTE, 20 * MINUTE);
  const { reasons, give } = provider(later);
  keeper.provider = give;
  keeper.token = token(0, 10 * MINUTE);
  clock.time = 9.5 * MINUTE - 1;
  await keeper.get();
  assert.deepEqual(reasons, []);
  clock.time += 1;
  assert.equal(await keeper.get(), later);
  assert.deepEqual(reasons, ["expiring"]);
});

test("however many ask at once, the page is asked once", async () => {
  const { keeper } = keeperAt(0);
  const { reasons, give } = provider("one", "two");
  keeper.provider = give;
  assert.deepEqual(await Promise.all([keeper.get(), keeper.get(), keeper.get()]), ["one", "one", "one"]);
  assert.deepEqual(reasons, ["missing"]);
});

test("a refused token is not sent again, and a newer one is not touched by an old refusal", async () => {
  const { keeper } = keeperAt(0);
  const { reasons, give } = provider("second");
  keeper.provider = give;
  keeper.token = "first";
  keeper.refuse("first");
  assert.equal(await keeper.get(), "second");
  keeper.refuse("first");
  assert.equal(await keeper.get(), "second");
  assert.deepEqual(reasons, ["refused"]);
});

test("a page that fails to give a token costs nothing while the old one still lives", async () => {
  const { clock, keeper } = keeperAt(0);
  keeper.provider = provider().give;
  keeper.token = token(0, 10 * MINUTE);
  clock.time = 9.9 * MINUTE;
  assert.equal(await keeper.get(), keeper.token);
  clock.time = 10 * MINUTE;
  await assert.rejects(keeper.get(), code("token_unavailable"));
});

test("without anybody to ask, the service decides about an old token, and a refused one is the end", async () => {
  const { clock, keeper } = keeperAt(0);
  await assert.rejects(keeper.get(), code("no_token"));
  keeper.token = token(0, MINUTE);
  clock.time = 60 * MINUTE;
  assert.equal(await keeper.get(), keeper.token);
  keeper.refuse(keeper.token);
  await assert.rejects(keeper.get(), code("grant_expired"));
});

test("what a page gives that is no text is no token", async () => {
  const { keeper } = keeperAt(0);
  for (const odd of [undefined, null, "", 7, { token: "x" }]) {
    keeper.provider = async () => odd as string;
    await assert.rejects(keeper.get(), code("token_unavailable"));
  }
});

test("a provider that was replaced while it was asked does not set the token", async () => {
  const { keeper } = keeperAt(0);
  let answer: (token: string) => void = () => {};
  keeper.provider = () => new Promise((resolve) => (answer = resolve));
  const asked = keeper.get();
  keeper.provider = async () => "of the new one";
  answer("of the old one");
  await asked;
  assert.equal(await keeper.get(), "of the new one");
});

test("a clock that is an hour ahead does not make every new token look ended", () => {
  const made = 100 * MINUTE;
  const now = made + 60 * MINUTE;
  assert.equal(endOf(token(made, made + 15 * MINUTE), now), now + 15 * MINUTE);
});

test("a token that is no JWT, or does not say when it ends, does not end", () => {
  for (const odd of ["gr_1.secret", "", "a.b.c", "..", "a.bnVsbA.c", "a.e30.c"]) assert.equal(endOf(odd, 0), Infinity);
});

test("after a 401 a request is sent once more, with another token, and no third time", async () => {
  const { keeper } = keeperAt(0);
  keeper.provider = provider("one", "two", "three").give;
  const sent: string[] = [];
  const answer = await authorised(keeper, async (token) => {
    sent.push(token);
    return { status: 401 };
  });
  assert.deepEqual([answer.status, sent], [401, ["one", "two"]]);
});

test("another meeting is never entered with the token of the one before, and that one keeps its own", async () => {
  const { keeper } = keeperAt(0);
  const meetings: Array<string | null> = [];
  keeper.meeting = "a";
  keeper.provider = async ({ meeting }) => (meetings.push(meeting), `for-${meeting}`);
  assert.equal(await keeper.get(), "for-a");
  const heir = keeper.heir("b");
  assert.deepEqual([await heir.get(), await keeper.get()], ["for-b", "for-a"]);
  assert.deepEqual(meetings, ["a", "b"]);
});

test("a token that the page set itself goes along, for there is nobody to ask", async () => {
  const { keeper } = keeperAt(0);
  keeper.token = "set";
  assert.equal(await keeper.heir("b").get(), "set");
});
