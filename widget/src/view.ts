/** The widget's page: where files are dropped or chosen, what may be sent, the list, and the two voices. */

import type { Voice } from "./announcer.ts";
import { h, setText } from "./dom.ts";
import { icon } from "./icons.ts";
import type { Picture } from "./item.ts";
import type { Limits } from "./limits.ts";
import { isolated } from "./names.ts";
import { type Action, Row } from "./row.ts";
import type { Translator } from "./translator.ts";

/** What the person does. Folders come as their name. */
export interface Hand {
  add(files: readonly (File | string)[]): void;
  act(id: string, action: Action): void;
}

/** So many types are listed; more are counted, and listed when asked for. */
const MOST_TYPES = 8;

export class View implements Voice {
  readonly root: HTMLElement;
  readonly #hand: Hand;
  readonly #rows = new Map<string, Row>();
  readonly #drop = h("p", { class: "drop" });
  readonly #dropNow = h("p", { class: "drop now" });
  readonly #button = h("button", { type: "button", class: "add", part: "button add", "aria-describedby": "limits" });
  readonly #input = h("input", { type: "file", multiple: "", hidden: "" });
  readonly #limits = h("p", { class: "limits", id: "limits", part: "limits" });
  readonly #types = h("p", { class: "types" });
  readonly #manyTypes = h("summary");
  readonly #details = h("details", { class: "types", hidden: "" }, this.#manyTypes);
  readonly #scanned = h("p", { class: "scanned" });
  readonly #notice = h("p", { class: "notice", part: "notice", hidden: "" });
  readonly #list = h("ul", { class: "list", part: "list", hidden: "" });
  readonly #polite = h("div", { class: "voice", role: "status" });
  readonly #alert = h("div", { class: "voice", role: "alert" });
  readonly #zone = h("div", { class: "zone", part: "zone" });

  constructor(hand: Hand) {
    this.#hand = hand;
    this.#zone.append(
      icon("add"),
      this.#drop,
      this.#dropNow,
      this.#button,
      this.#input,
      this.#limits,
      this.#types,
      this.#details,
      this.#scanned,
    );
    this.root = h(
      "div",
      { class: "card", part: "card", role: "group" },
      this.#zone,
      this.#notice,
      this.#list,
      this.#polite,
      this.#alert,
    );
    this.#listen();
  }

  /** Show everything that does not belong to one file. `unfinished` are names to go on with. */
  show(t: Translator, limits: Limits | null, silent: boolean, unfinished: readonly string[]): void {
    this.root.lang = t.tag;
    this.root.dir = t.direction;
    this.root.setAttribute("aria-label", t.text("region"));
    setText(this.#drop, t.text("drop"));
    setText(this.#dropNow, t.text("dropNow"));
    setText(this.#button, t.text("choose"));
    setText(this.#scanned, t.text("scanned"));
    this.#showLimits(t, limits);
    const hint = unfinished.map((name) => t.text("unfinished", { name: isolated(name) })).join(" ");
    setText(this.#notice, silent ? t.text("silent") : hint);
    this.#notice.classList.toggle("trouble", silent);
  }

  /** Show one file, in a new row if it is new. */
  showItem(t: Translator, picture: Picture): void {
    let row = this.#rows.get(picture.id);
    if (!row) {
      row = new Row((action) => this.#hand.act(picture.id, action));
      this.#rows.set(picture.id, row);
      this.#list.append(row.element);
      this.#fill();
    }
    row.show(t, picture);
  }

  /** Take a row away. If it had the focus, the next row has it then, or the one before, or the button. */
  removeItem(id: string): void {
    const row = this.#rows.get(id);
    if (!row) return;
    const order = [...this.#rows.values()];
    const place = order.indexOf(row);
    const heir = order[place + 1] ?? order[place - 1];
    const focused = row.focused !== null;
    this.#rows.delete(id);
    row.element.remove();
    this.#fill();
    if (focused) (heir ?? this.#button).focus();
  }

  polite(lines: readonly string[]): void {
    this.#polite.replaceChildren(...lines.map((line) => h("p", {}, line)));
  }

  alert(lines: readonly string[]): void {
    this.#alert.replaceChildren(...lines.map((line) => h("p", {}, line)));
  }

  #fill(): void {
    this.#list.hidden = this.#rows.size === 0;
    this.root.toggleAttribute("data-filled", this.#rows.size > 0);
  }

  #showLimits(t: Translator, limits: Limits | null): void {
    if (limits === null) return;
    const said = [t.text("limitSize", { size: t.size(Math.min(limits.size, limits.bytes)) })];
    if (limits.files < Infinity) said.push(t.count("limitFiles", limits.files));
    setText(this.#limits, limits.files < 1 ? t.text("why.quota_exceeded") : said.join(" · "));
    const types = limits.types.map((type) => type.toUpperCase()).join(", ");
    const many = limits.types.length > MOST_TYPES;
    setText(this.#types, many ? null : t.text("types", { types }));
    setText(this.#manyTypes, t.count("manyTypes", limits.types.length));
    this.#details.replaceChildren(this.#manyTypes, types);
    this.#details.hidden = !many;
    this.#input.accept = limits.types.map((type) => `.${type}`).join(",");
  }

  #listen(): void {
    this.#button.addEventListener("click", () => this.#input.click());
    this.#input.addEventListener("change", () => {
      this.#hand.add([...(this.#input.files ?? [])]);
      // Else choosing the same file again would be no change.
      this.#input.value = "";
    });
    // A click into the zone takes the focus there, so that files can be pasted.
    this.#zone.addEventListener("click", (event) => {
      if (event.target === this.#zone || event.target === this.#drop) this.#button.focus();
    });
    this.root.addEventListener("paste", (event) => this.#take(event, event.clipboardData));
    this.root.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      this.root.toggleAttribute("data-over", true);
    });
    this.root.addEventListener("dragleave", (event) => {
      if (!this.root.contains(event.relatedTarget as Node | null)) this.root.toggleAttribute("data-over", false);
    });
    this.root.addEventListener("drop", (event) => {
      this.root.toggleAttribute("data-over", false);
      this.#take(event, event.dataTransfer);
    });
  }

  #take(event: Event, data: DataTransfer | null): void {
    const files = [...(data?.items ?? [])].flatMap((item): (File | string)[] => {
      if (item.kind !== "file") return [];
      const entry = item.webkitGetAsEntry?.();
      return entry?.isDirectory ? [entry.name] : [item.getAsFile() ?? []].flat();
    });
    if (!files.length) return;
    event.preventDefault();
    this.#hand.add(files);
  }
}
