/**
 * A file's states and the one table of legal moves. No I/O, no time, no page.
 *
 * Two laws follow from the table, and tests walk it: the only way into `released` is from `scanning`,
 * by the service's own word; and from every state that is not an end, a file can come to one.
 */

/** Where a file is. `waiting` is for its turn, for the limits, or for a token. */
export type State =
  | "waiting"
  | "uploading"
  | "paused"
  | "offline"
  | "scanning"
  | "released"
  | "held"
  | "blocked"
  | "refused"
  | "failed"
  | "cancelled";

/** What can happen to a file. `stored` is: the service has its last byte. */
export type Move =
  | "begin"
  | "lose"
  | "store"
  | "pause"
  | "resume"
  | "cancel"
  | "release"
  | "hold"
  | "block"
  | "refuse"
  | "fail"
  | "retry";

export const TRANSITIONS: Readonly<Record<State, Readonly<Partial<Record<Move, State>>>>> = {
  waiting: { begin: "uploading", pause: "paused", cancel: "cancelled", refuse: "refused", fail: "failed" },
  uploading: {
    store: "scanning",
    lose: "offline",
    pause: "paused",
    cancel: "cancelled",
    refuse: "refused",
    fail: "failed",
  },
  offline: { begin: "uploading", pause: "paused", cancel: "cancelled", refuse: "refused", fail: "failed" },
  paused: { resume: "waiting", cancel: "cancelled" },
  scanning: { release: "released", hold: "held", block: "blocked", refuse: "refused", fail: "failed" },
  failed: { retry: "waiting" },
  cancelled: { retry: "waiting" },
  released: {},
  held: {},
  blocked: {},
  refused: {},
};

/** Thrown for a move that the table does not list; nothing was changed. */
export class IllegalMove extends Error {}

/** Whether the table lists `move` from `state`. */
export const can = (state: State, move: Move): boolean => Object.hasOwn(TRANSITIONS[state], move);

/** Return the state that `move` leads to from `state`. Throws `IllegalMove` if none is listed. */
export function after(state: State, move: Move): State {
  if (!can(state, move)) throw new IllegalMove(`${move} is not possible for a file that is ${state}`);
  return TRANSITIONS[state][move]!;
}

/** States in which something is still to come without anybody's doing. */
export const isLive = (state: State): boolean =>
  state === "waiting" || state === "uploading" || state === "offline" || state === "scanning";

/** States in which a file has not come to an end. */
export const isUnderway = (state: State): boolean => isLive(state) || state === "paused";

/** States in which the service has spoken, or the limits it published. */
export const isVerdict = (state: State): boolean =>
  state === "released" || state === "held" || state === "blocked" || state === "refused";
