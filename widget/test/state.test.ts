import assert from "node:assert/strict";
import { test } from "node:test";
import { after, can, IllegalMove, isUnderway, type Move, type State, TRANSITIONS } from "../src/state.ts";

const STATES = Object.keys(TRANSITIONS) as State[];
const MOVES = [...new Set(STATES.flatMap((state) => Object.keys(TRANSITIONS[state])))] as Move[];

function reachable(from: State, without?: State): Set<State> {
  const found = new Set<State>([from]);
  for (const state of found) {
    for (const next of Object.values(TRANSITIONS[state])) if (next !== without) found.add(next);
  }
  return found;
}

test("each listed move happens, every other throws and changes nothing", () => {
  for (const state of STATES) {
    for (const move of MOVES) {
      const listed = TRANSITIONS[state][move];
      assert.equal(can(state, move), listed !== undefined);
      if (listed) assert.equal(after(state, move), listed);
      else assert.throws(() => after(state, move), IllegalMove);
    }
  }
});

test("names that every object has are no moves", () => {
  assert.equal(can("waiting", "toString" as Move), false);
});

test("the only edge into released is from scanning, by the move release", () => {
  const edges = STATES.flatMap((state) =>
    Object.entries(TRANSITIONS[state]).flatMap(([move, next]) => (next === "released" ? [[state, move]] : [])),
  );
  assert.deepEqual(edges, [["scanning", "release"]]);
});

test("held and blocked, too, come only from scanning: they are the service's word", () => {
  for (const end of ["held", "blocked"]) {
    const from = STATES.filter((state) => Object.values(TRANSITIONS[state]).includes(end as State));
    assert.deepEqual(from, ["scanning"]);
  }
});

test("without scanning no file is ever released", () => {
  assert.ok(!reachable("waiting", "scanning").has("released"));
});

test("every state that is not an end leads to one, and to being released", () => {
  for (const state of STATES.filter(isUnderway)) assert.ok(reachable(state).has("released"), state);
});

test("a verdict is final: nothing leads out of it", () => {
  for (const state of ["released", "held", "blocked", "refused"] as const) assert.deepEqual(TRANSITIONS[state], {});
});
