/** `<greenroom-upload>`: the element's attributes, properties, events and life, over the parts that do the work. */

import { Announcer } from "./announcer.ts";
import { advice } from "./advice.ts";
import { Api } from "./api.ts";
import { TokenKeeper, type TokenProvider } from "./grant.ts";
import type { Item, Picture, Snapshot } from "./item.ts";
import type { Limits } from "./limits.ts";
import type { Messages } from "./messages/index.ts";
import { browserShelf, ResumeKeys } from "./resume.ts";
import { isLive, isVerdict } from "./state.ts";
import { styles } from "./styles.ts";
import { Terms } from "./terms.ts";
import { Translator } from "./translator.ts";
import type { Line } from "./transport.ts";
import { type Change, type Target, Uploads } from "./uploads.ts";
import { View } from "./view.ts";

/** The page's line, as far as the browser knows. */
const LINE: Line = {
  get connected() {
    return navigator.onLine;
  },
  addEventListener: (...args: Parameters<typeof addEventListener>) => addEventListener(...args),
  removeEventListener: (...args: Parameters<typeof removeEventListener>) => removeEventListener(...args),
  dispatchEvent: (event: Event) => dispatchEvent(event),
};

export class GreenroomUpload extends HTMLElement {
  static readonly observedAttributes = ["endpoint", "meeting", "lang", "resume"];

  #keeper = new TokenKeeper();
  readonly #view: View;
  readonly #uploads: Uploads;
  readonly #announcer: Announcer;
  #translator = new Translator([]);
  #messages: Messages = {};
  #terms: Terms | null = null;
  #api: Api | null = null;
  #asleep = true;
  #waiting: Array<() => void> = [];

  constructor() {
    super();
    this.#view = new View({
      add: (files) => this.#add(files),
      act: (id, action) => this.#uploads[action === "resume" ? "retry" : action](id),
    });
    this.#announcer = new Announcer(this.#view, () => this.#translator);
    this.#uploads = new Uploads(
      () => this.#target,
      () => this.#ready(),
      LINE,
      (item, change) => this.#hear(item, change),
    );
    const shadow = this.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = [styles()];
    shadow.append(this.#view.root);
  }

  /** The grant that is sent, or `null`. Setting it lets files go on that lacked one. */
  get token(): string | null {
    return this.#keeper.token;
  }

  set token(token: string | null) {
    this.#keeper.token = token;
    this.#renewed();
  }

  /** Asked for a grant when there is none, before it ends, and when it was refused; `null` for nobody. */
  get tokenProvider(): TokenProvider | null {
    return this.#keeper.provider;
  }

  set tokenProvider(provider: TokenProvider | null) {
    this.#keeper.provider = provider;
    this.#renewed();
  }

  /** Texts of the host page's own, by key, in the place of the widget's. */
  get messages(): Messages {
    return this.#messages;
  }

  set messages(messages: Messages) {
    this.#messages = { ...messages };
    this.#speak();
  }

  /** Frozen pictures of the files in the list. */
  get items(): readonly Snapshot[] {
    return Object.freeze(this.#uploads.pictures.map((picture) => this.#snapshot(picture)));
  }

  /** Take in files, as if they had been chosen. */
  addFiles(files: Iterable<File>): void {
    this.#add([...files]);
  }

  connectedCallback(): void {
    for (const name of ["token", "tokenProvider", "messages"] as const) this.#upgrade(name);
    if (!this.#asleep) return;
    this.#asleep = false;
    this.#speak();
    this.#learn();
    this.#uploads.wake();
  }

  disconnectedCallback(): void {
    // Moving an element takes it off the page for less than a microtask.
    queueMicrotask(() => {
      if (this.isConnected || this.#asleep) return;
      this.#asleep = true;
      this.#terms?.stop();
      this.#uploads.suspend();
    });
  }

  attributeChangedCallback(name: string): void {
    if (this.#asleep) return;
    if (name === "lang") this.#speak();
    else if (name === "resume") this.#showPage();
    else this.#learn();
  }

  /** A property that was set before the element was known would hide the one of the class. */
  #upgrade(name: "token" | "tokenProvider" | "messages"): void {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    delete this[name];
    Object.assign(this, { [name]: value });
  }

  get #target(): Target {
    const meeting = this.getAttribute("meeting") || this.#terms?.meeting || null;
    const resume = new ResumeKeys(this.getAttribute("resume") === "off" ? null : browserShelf());
    return { service: this.#api!, meeting, resume };
  }

  /** Begin to learn what the service at `endpoint` takes. Files under way stay with the one they began with, and its token. */
  #learn(): void {
    const address = new URL(this.getAttribute("endpoint") || new URL(import.meta.url).origin, document.baseURI);
    const base = address.href.replace(/\/+$/, "");
    const meeting = this.getAttribute("meeting") || null;
    this.#terms?.stop();
    if (!this.#api) this.#keeper.meeting = meeting;
    else if (base !== this.#api.base || meeting !== this.#keeper.meeting) this.#keeper = this.#keeper.heir(meeting);
    this.#api = new Api(base, this.#keeper);
    this.#terms = new Terms(this.#api, LINE, () => this.#learned());
    void this.#terms.start();
    this.#showPage();
  }

  /** Return the limits as soon as there are any, with the newest grant in them. */
  async #ready(): Promise<Limits> {
    for (;;) {
      const terms = this.#terms;
      if (terms?.limits && !terms.asking) return terms.limits;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #learned(): void {
    for (const go of this.#waiting.splice(0)) go();
    this.#showPage();
  }

  #renewed(): void {
    void this.#terms?.refresh();
    this.#uploads.tokenCame();
  }

  #speak(): void {
    const around = this.closest("[lang]") ?? (this.getRootNode() as ShadowRoot).host?.closest("[lang]");
    this.#translator = new Translator([around?.getAttribute("lang"), ...navigator.languages], this.#messages);
    for (const picture of this.#uploads.pictures) this.#view.showItem(this.#translator, picture);
    this.#showPage();
  }

  #showPage(): void {
    if (!this.#api) return;
    const { meeting, resume } = this.#target;
    const unfinished = resume.names(this.#api.base, meeting ?? "");
    this.#view.show(this.#translator, this.#terms?.limits ?? null, this.#terms?.silent ?? false, unfinished);
  }

  #add(files: readonly (File | string)[]): void {
    for (const file of files) this.#uploads.add(file);
    this.#showPage();
  }

  #hear(item: Item, change: Change): void {
    const { picture } = item;
    if (change === "removed") this.#view.removeItem(item.id);
    else this.#view.showItem(this.#translator, picture);
    this.#announcer.hear(this.#uploads.pictures, picture, change);
    if (change === "removed") return this.#showPage();
    const event = eventFor(picture, change);
    if (event) this.dispatchEvent(new CustomEvent(event, { detail: this.#snapshot(picture), composed: true }));
    const rested = this.#uploads.pictures.every((one) => !isLive(one.state));
    if (change === "state" && rested) void this.#terms?.refresh();
  }

  #snapshot(picture: Picture): Snapshot {
    const { id, upload, name, size, sent, state, code, verdict } = picture;
    const reason = advice(this.#translator, picture);
    return Object.freeze({ id, upload, name, size, sent, state, code, reason, verdict });
  }
}

function eventFor({ state }: Picture, change: Change): string | null {
  if (change === "added") return "file-added";
  if (change === "progress") return "progress";
  if (state === "scanning") return "scanning";
  if (state === "failed") return "error";
  return isVerdict(state) ? "verdict" : null;
}
