/** Names that strangers chose, made fit to show as text. */

/**
 * Controls, formats (bidi overrides among them), surrogates, private use, unassigned; separators of lines;
 * letters that look like nothing. The same as the service takes out (service/core/naming.py).
 */
const UNSHOWABLE = /[\p{C}\p{Zl}\p{Zp}\u034f\u115f\u1160\u2800\u3164\uffa0]/gu;
const LONGEST = 96;
const TAIL = 24;

/** Return `name` in one line, without what could make it look like another, its middle left out if too long. */
export function shownName(name: string): string {
  const text = name.replace(/\s+/g, " ").replace(UNSHOWABLE, "").trim() || "?";
  const letters = [...text];
  if (letters.length <= LONGEST) return text;
  return `${letters.slice(0, LONGEST - TAIL).join("")}…${letters.slice(-TAIL).join("")}`;
}

/** Return `name` fit to stand in a sentence of any direction (Unicode UAX 9: FSI and PDI). */
export const isolated = (name: string): string => `\u2068${shownName(name)}\u2069`;
