/** Reads the service's document of an upload. Whatever is not understood is no verdict. */

import type { Move } from "./state.ts";

/** The service's verdict as it stands in its document (docs/openapi.json), frozen. */
export type Verdict = Readonly<Record<string, unknown>>;

export interface Reading {
  readonly move: Move;
  readonly code: string | null;
  /** The service's own sentence, in English. */
  readonly advice: string;
  readonly verdict: Verdict | null;
}

const MOVES: Readonly<Record<string, Move>> = {
  released: "release",
  held: "hold",
  blocked: "block",
  refused: "refuse",
  abandoned: "fail",
  erased: "fail",
};

/** Return what `untrusted` says has become of the upload `asked`, or `null` while it is on its way or not understood. */
export function readUpload(untrusted: unknown, asked: string): Reading | null {
  const document: Record<string, unknown> = Object(untrusted);
  const { id, state, reason, advice } = document;
  if (id !== asked || typeof state !== "string" || !Object.hasOwn(MOVES, state)) return null;
  const verdict = document.verdict === null || typeof document.verdict !== "object" ? null : document.verdict;
  const kept = verdict && (Object.freeze({ ...verdict }) as Verdict);
  const code = [reason, kept?.code, state].find((one) => typeof one === "string") as string;
  return { move: MOVES[state]!, code, advice: typeof advice === "string" ? advice : "", verdict: kept };
}
