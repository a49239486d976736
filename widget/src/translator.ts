/** Texts, numbers, sizes and times in one language, by its messages and `Intl`. */

import { LANGUAGES, type Messages } from "./messages/index.ts";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

export class Translator {
  /** The language as it was asked for, such as `de-AT`. */
  readonly tag: string;
  readonly direction: "ltr" | "rtl";
  readonly #texts: Messages;
  readonly #plurals: Intl.PluralRules;

  /** `wanted` are BCP 47 tags, the best first; the first whose language is known is taken, else English. */
  constructor(wanted: readonly (string | null | undefined)[], overrides: Messages = {}) {
    const tag = wanted.find((one) => one && Object.hasOwn(LANGUAGES, languageOf(one))) ?? "en";
    const language = languageOf(tag);
    this.tag = isTag(tag) ? tag : language;
    this.direction = language === "ar" ? "rtl" : "ltr";
    this.#texts = { ...LANGUAGES.en, ...LANGUAGES[language], ...overrides };
    this.#plurals = new Intl.PluralRules(this.tag);
  }

  /** Return the text of `key` with `{name}`s replaced by `values`. */
  text(key: string, values: Readonly<Record<string, string>> = {}): string {
    return (this.#texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
  }

  /** Return the text of `key` in the plural form for `n`. */
  count(key: string, n: number, values: Readonly<Record<string, string>> = {}): string {
    const form = `${key}.${this.#plurals.select(n)}`;
    return this.text(form in this.#texts ? form : `${key}.other`, { n: this.#number(n, {}), ...values });
  }

  /** `fraction` is from 0 to 1. */
  percent(fraction: number): string {
    return this.#number(fraction, { style: "percent", maximumFractionDigits: 0 });
  }

  /** `bytes` in the largest unit, by steps of 1024 as file managers count. */
  size(bytes: number): string {
    return this.#bytes(bytes, "", 0);
  }

  /** `rate` is in bytes a second. */
  speed(rate: number): string {
    return this.#bytes(rate, "-per-second", 1);
  }

  /** `seconds` in words, rounded so that they do not flicker. */
  duration(seconds: number): string {
    if (seconds < 55) return this.#unit(Math.max(5, Math.ceil(seconds / 5) * 5), "second");
    const minutes = Math.ceil(seconds / 60);
    if (minutes < 60) return this.#unit(minutes, "minute");
    const hours = this.#unit(Math.floor(minutes / 60), "hour");
    return minutes % 60 ? `${hours} ${this.#unit(minutes % 60, "minute")}` : hours;
  }

  #bytes(bytes: number, per: string, least: number): string {
    const step = Math.max(least, Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
    const value = bytes / 1024 ** step;
    const maximumFractionDigits = step > 0 && value < 10 ? 1 : 0;
    // The short form of bytes is no word in many languages.
    const unitDisplay = step > 0 ? "short" : "long";
    return this.#number(value, { style: "unit", unit: UNITS[step]! + per, unitDisplay, maximumFractionDigits });
  }

  #unit(value: number, unit: string): string {
    return this.#number(value, { style: "unit", unit, unitDisplay: "long" });
  }

  #number(value: number, options: Intl.NumberFormatOptions): string {
    return new Intl.NumberFormat(this.tag, options).format(value);
  }
}

const languageOf = (tag: string): string => tag.toLowerCase().split(/[-_]/)[0]!;

/** Whether `Intl` takes `tag`: pages say `de_DE`, too. */
function isTag(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}
