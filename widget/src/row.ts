/** One file's row: what it is, where it stands, what can be done. */

import { advice, measures, stateName } from "./advice.ts";
import { h, setText } from "./dom.ts";
import { type IconName, icon, setIcon } from "./icons.ts";
import type { Picture } from "./item.ts";
import { shownName } from "./names.ts";
import type { State } from "./state.ts";
import type { Translator } from "./translator.ts";

export type Action = "pause" | "resume" | "retry" | "cancel" | "remove";

const ACTIONS: Readonly<Record<State, readonly Action[]>> = {
  waiting: ["pause", "cancel"],
  uploading: ["pause", "cancel"],
  paused: ["resume", "cancel"],
  offline: ["retry", "cancel"],
  scanning: [],
  released: ["remove"],
  held: ["remove"],
  blocked: ["remove"],
  refused: ["remove"],
  failed: ["retry", "remove"],
  cancelled: ["retry", "remove"],
};

export class Row {
  readonly element: HTMLLIElement;
  readonly #badge = icon("waiting");
  readonly #name = h("bdi");
  readonly #state = h("span", { class: "state", part: "state" });
  readonly #measures = h("span", { class: "measures" });
  readonly #progress = h("progress", { max: "1", part: "progress" });
  readonly #why = h("p", { class: "why", part: "reason" });
  readonly #demo = h("p", { class: "demo" });
  readonly #buttons = new Map<Action, HTMLButtonElement>();

  constructor(act: (action: Action) => void) {
    const actions = h("div", { class: "actions" });
    for (const action of ["pause", "resume", "retry", "cancel", "remove"] as const) {
      const button = h("button", { type: "button", part: `button ${action}` }, icon(action));
      button.addEventListener("click", () => act(action));
      this.#buttons.set(action, button);
      actions.append(button);
    }
    this.element = h(
      "li",
      { class: "row", tabindex: "-1" },
      h("div", { class: "badge" }, this.#badge),
      h(
        "div",
        {},
        h("div", { class: "name", part: "name" }, this.#name),
        h("div", { class: "status" }, this.#state, this.#measures),
      ),
      actions,
      h("div", { class: "more" }, this.#progress, this.#why, this.#demo),
    );
  }

  /** Show `picture`. If the control that had the focus goes, the next one of this row gets it, or the row. */
  show(t: Translator, picture: Picture): void {
    const { state, verdict } = picture;
    const name = shownName(picture.name);
    this.element.dataset.state = state;
    this.element.setAttribute("part", `item ${state}`);
    setIcon(this.#badge, state as IconName);
    setText(this.#name, name);
    setText(this.#state, stateName(t, picture));
    setText(this.#measures, measures(t, picture));
    setText(this.#why, advice(t, picture));
    setText(this.#demo, verdict?.notice ? t.text("demo") : null);
    this.#showProgress(picture);
    this.#progress.setAttribute("aria-label", t.text("saidState", { name, state: stateName(t, picture) }));
    const focused = this.focused;
    for (const [action, button] of this.#buttons) {
      button.hidden = !ACTIONS[state].includes(action);
      const label = t.text(action, { name });
      button.setAttribute("aria-label", label);
      button.title = label;
    }
    if (focused?.hidden) this.focus();
  }

  /** The control of this row that has the focus, if one has. */
  get focused(): HTMLElement | null {
    const active = (this.element.getRootNode() as ShadowRoot).activeElement;
    return active instanceof HTMLElement && this.element.contains(active) ? active : null;
  }

  /** Focus the first control, or the row itself where there is none. */
  focus(): void {
    const button = [...this.#buttons.values()].find((one) => !one.hidden);
    (button ?? this.element).focus();
  }

  #showProgress({ state, sent, size }: Picture): void {
    const bar = this.#progress;
    bar.hidden = !["uploading", "paused", "offline", "scanning"].includes(state);
    if (state === "scanning") bar.removeAttribute("value");
    else bar.value = size > 0 ? sent / size : 0;
  }
}
