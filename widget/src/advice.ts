/** What happened to a file and what to do: one sentence for every state and code. */

import type { Picture } from "./item.ts";
import type { State } from "./state.ts";
import type { Translator } from "./translator.ts";

/**
 * Codes by the sentence that fits them; others have a sentence of their own name. They are the service's
 * (service/core/errors.py, outcome.py, the stages' reasons) and the widget's own.
 */
const SENTENCES: Readonly<Record<string, string>> = {
  infected: "blocked",
  digest_mismatch: "changed",
  checksum_mismatch: "changed",
  content_lost: "changed",
  content_refused: "refused",
  scan_exhausted: "held",
  no_token: "forbidden",
  token_unavailable: "expired",
  unauthenticated: "expired",
  grant_expired: "expired",
  grant_ended: "expired",
  not_found: "gone",
  erased: "gone",
  upload_ended: "gone",
  abandoned: "gone",
  terminated: "gone",
  expired: "gone",
  interrupted: "gone",
  truncated: "gone",
  too_slow: "gone",
};
const OWN =
  /^(encrypted|limits_exceeded|malformed|suspicious|type_not_allowed|too_large|quota_exceeded|bad_request|folder|forbidden|unreadable)$/;
/** Reasons that are people's: what they decided is said in the service's words, and never as the scanner's. */
const PEOPLE = /^(reviewer|allow)_/;
/** States that say enough by their name. */
const PLAIN: ReadonlySet<State> = new Set(["waiting", "uploading", "paused", "scanning", "cancelled"]);

/** Return the sentence, or `null` where the state's name says enough. */
export function advice(t: Translator, { state, code, advice: theirs }: Picture): string | null {
  if (PLAIN.has(state)) return null;
  if (state === "offline") return t.text(code === null ? "why.offline" : "why.busy");
  if ((state === "released" || state === "blocked") && !PEOPLE.test(code!)) return t.text(`why.${state}`);
  const sentence = code && (SENTENCES[code] ?? (OWN.test(code) ? code : null));
  return sentence ? t.text(`why.${sentence}`) : theirs || t.text(`why.${state}`);
}

/** Return the name of the state a file is shown in. */
export function stateName(t: Translator, { state, code, sent, size }: Picture): string {
  if (state === "uploading" && sent >= size && size > 0) return t.text("finishing");
  // The line is there, the service asks for patience.
  return t.text(state === "offline" && code !== null ? "waiting" : state);
}

/** Return how much is sent, how fast, and how long it will take; an empty text where nothing moves. */
export function measures(t: Translator, { state, size, sent, rate, left }: Picture): string {
  if (state !== "uploading" && state !== "paused" && state !== "offline") return t.size(size);
  const parts = [t.text("of", { sent: t.size(sent), size: t.size(size) })];
  if (rate !== null) parts.push(t.speed(rate));
  if (left !== null) parts.push(t.text("left", { time: t.duration(left) }));
  return parts.join(" · ");
}
