/** The widget's looks (styles.css), as one sheet for all widgets of a page. */

import css from "./styles.css";

let shared: CSSStyleSheet | null = null;

/** Return the sheet. It is constructed, so that a page's CSP has nothing to allow. */
export function styles(): CSSStyleSheet {
  if (shared === null) {
    shared = new CSSStyleSheet();
    shared.replaceSync(css);
  }
  return shared;
}
