/** One file in the widget, and the frozen picture of it that everybody else sees. */

import type { Limits } from "./limits.ts";
import { Pace } from "./pace.ts";
import type { Bookmark } from "./resume.ts";
import type { State } from "./state.ts";
import type { Transport } from "./transport.ts";
import type { Target } from "./uploads.ts";
import type { Verdict } from "./verdict.ts";

/** What events carry and `items` gives. `code` is stable, `reason` a sentence in the widget's language. Sizes in bytes. */
export interface Snapshot {
  readonly id: string;
  readonly upload: string | null;
  readonly name: string;
  readonly size: number;
  readonly sent: number;
  readonly state: State;
  readonly code: string | null;
  readonly reason: string | null;
  readonly verdict: Verdict | null;
}

/** What the widget itself shows besides: `rate` in bytes a second, `left` in seconds. */
export interface Picture extends Omit<Snapshot, "reason"> {
  readonly advice: string;
  readonly rate: number | null;
  readonly left: number | null;
}

export class Item {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  /** `null` for what is no file: a folder. */
  readonly file: File | null;
  readonly pace = new Pace();
  state: State = "waiting";
  upload: string | null = null;
  sent = 0;
  code: string | null = null;
  /** The service's own sentence, for codes that the widget has none for. */
  advice = "";
  verdict: Verdict | null = null;
  transport: Transport | null = null;
  /** Where it goes, once it began to. */
  target: Target | null = null;
  /** Where it is kept that it can be gone on with. */
  bookmark: Bookmark | null = null;
  /** The limits as they stood when it was added: it is not yet in what they say is used. */
  limits: Limits | null = null;
  /** Ends whatever is under way for it. */
  halt = new AbortController();

  constructor(id: string, file: File | null, name: string) {
    this.id = id;
    this.file = file;
    this.name = name;
    this.size = file?.size ?? 0;
  }

  get picture(): Picture {
    const { id, upload, name, size, sent, state, code, advice, verdict, pace } = this;
    const moving = state === "uploading" && sent < size;
    const rate = moving ? pace.rate : null;
    const left = moving ? pace.left(size) : null;
    return Object.freeze({ id, upload, name, size, sent, state, code, advice, verdict, rate, left });
  }
}
