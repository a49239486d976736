import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { advice, measures, stateName } from "../src/advice.ts";
import type { Picture } from "../src/item.ts";
import { LANGUAGES } from "../src/messages/index.ts";
import { type State, TRANSITIONS } from "../src/state.ts";
import { Translator } from "../src/translator.ts";

const TAGS = Object.keys(LANGUAGES);
const STATES = Object.keys(TRANSITIONS) as State[];
const SERVICE = new URL("../../service/", import.meta.url);

const picture = (state: State, code: string | null = null, theirs = ""): Picture => ({
  ...{ id: "1", upload: null, name: "a.pdf", size: 10, sent: 0, verdict: null, rate: null, left: null },
  ...{ state, code, advice: theirs },
});
const stem = (key: string) => key.replace(/\.(zero|one|two|few|many|other)$/, "");
const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

test("every language has every key of English and no other", () => {
  const keys = new Set(Object.keys(LANGUAGES.en!).map(stem));
  for (const tag of TAGS) assert.deepEqual(new Set(Object.keys(LANGUAGES[tag]!).map(stem)), keys, tag);
});

test("every text has the placeholders of the English one, and the character that parts texts in the build has none", () => {
  for (const tag of TAGS) {
    for (const [key, text] of Object.entries(LANGUAGES[tag]!)) {
      const english = LANGUAGES.en![key] ?? LANGUAGES.en![`${stem(key)}.other`]!;
      assert.deepEqual(placeholders(text), placeholders(english), `${tag} ${key}`);
      assert.ok(text && !text.includes("|"), `${tag} ${key}`);
    }
  }
});

test("a count has a text in every plural form that a language has for whole numbers", () => {
  for (const tag of TAGS) {
    const t = new Translator([tag]);
    for (const n of [0, 1, 2, 3, 5, 11, 21, 22, 100, 101]) {
      const text = t.count("saidStates", n, { state: "x" });
      assert.ok(!/[{}]/.test(text) && !text.startsWith("saidStates"), `${tag} ${n}: ${text}`);
    }
  }
  assert.notEqual(new Translator(["pl"]).count("limitFiles", 2), new Translator(["pl"]).count("limitFiles", 5).replace("5", "2"));
});

test("every state has a name of its own in every language", () => {
  for (const tag of TAGS) {
    const t = new Translator([tag]);
    assert.equal(new Set(STATES.map((state) => stateName(t, picture(state)))).size, STATES.length, tag);
  }
});

test("every code of the service has a sentence of ours, in every language, without the service's help", () => {
  const code = /^ {4}code(?:: .*?)? = "(\w+)"|reason="(\w+)"|give_up\([^"\n]*"(\w+)"\)/gm;
  const sources = ["core/errors.py", ...readdirSync(new URL("stages/", SERVICE)).map((name) => `stages/${name}`)];
  const codes = new Set(["infected", "encrypted", "limits_exceeded", "malformed", "suspicious"]);
  for (const source of sources.filter((name) => name.endsWith(".py"))) {
    const text = readFileSync(new URL(source, SERVICE), "utf8");
    for (const [, ...found] of text.matchAll(code)) codes.add(found.find(Boolean)!);
  }
  assert.ok(codes.size > 30);
  for (const tag of TAGS) {
    const t = new Translator([tag]);
    for (const one of codes) {
      for (const state of ["held", "blocked", "refused", "failed"] as const) {
        const said = advice(t, picture(state, one));
        assert.ok(said && !said.startsWith("why."), `${tag} ${state} ${one}`);
      }
    }
  }
});

test("what the presenter can do is said for what a presenter can mend", () => {
  const t = new Translator(["en"]);
  assert.match(advice(t, picture("held", "encrypted"))!, /Remove the password and upload it again/);
  assert.match(advice(t, picture("refused", "folder"))!, /choose the files in it/);
  assert.match(advice(t, picture("failed", "grant_expired"))!, /Reload the page/);
});

test("a code that nobody knows is told in the service's words, else in general ones", () => {
  const t = new Translator(["de"]);
  assert.equal(advice(t, picture("held", "brand_new", "Theirs.")), "Theirs.");
  assert.equal(advice(t, picture("held", "brand_new")), t.text("why.held"));
});

test("that malware was not found is said of released files only", () => {
  for (const tag of TAGS) {
    const t = new Translator([tag]);
    for (const state of STATES.filter((one) => one !== "released")) {
      for (const code of [null, "clean", "released"]) {
        assert.notEqual(advice(t, picture(state, code)), t.text("why.released"), `${tag} ${state}`);
      }
    }
  }
});

test("what people decided is not told as what the scanner found", () => {
  for (const tag of TAGS) {
    const t = new Translator([tag]);
    for (const code of ["reviewer_cleared", "allow_listed"]) {
      assert.equal(advice(t, picture("released", code, "Theirs.")), "Theirs.");
    }
    assert.equal(advice(t, picture("blocked", "reviewer_blocked", "Theirs.")), "Theirs.");
    for (const [state, code] of [["released", "clean"], ["released", null], ["blocked", "infected"], ["blocked", null]] as const) {
      assert.equal(advice(t, picture(state, code, "Theirs.")), t.text(`why.${state}`));
    }
  }
});

test("while the last bytes wait for their answer the upload is being finished, not finished", () => {
  const t = new Translator(["en"]);
  assert.equal(stateName(t, { ...picture("uploading"), sent: 10 }), "Finishing the upload");
});

test("the language: the first that is known, odd tags included, else English; overrides go before", () => {
  assert.equal(new Translator(["it", null, "de-AT", "fr"]).tag, "de-AT");
  assert.equal(new Translator(["de_DE"]).text("choose"), "Dateien auswählen");
  assert.equal(new Translator(["toString", "xx"]).tag, "en");
  assert.equal(new Translator(["ar-EG"]).direction, "rtl");
  assert.equal(new Translator(["en"], { choose: "Pick" }).text("choose"), "Pick");
});

test("sizes and times are in the language's own words", () => {
  const en = new Translator(["en"]);
  assert.deepEqual(
    [en.size(1), en.size(11), en.size(1536), en.size(512 * 2 ** 20), en.size(0), en.speed(512)],
    ["1 byte", "11 bytes", "1.5 kB", "512 MB", "0 bytes", "0.5 kB/s"],
  );
  assert.match(new Translator(["fr"]).size(512 * 2 ** 20), /^512\sMo$/);
  assert.deepEqual(
    [en.duration(0.2), en.duration(41), en.duration(56), en.duration(3601), en.duration(7200)],
    ["5 seconds", "45 seconds", "1 minute", "1 hour 1 minute", "2 hours"],
  );
});

test("speed and time left are shown only while they are known", () => {
  const t = new Translator(["en"]);
  assert.equal(measures(t, picture("uploading")), "0 bytes of 10 bytes");
  const moving = { ...picture("uploading"), rate: 2048, left: 9 };
  assert.equal(measures(t, moving), "0 bytes of 10 bytes · 2 kB/s · 10 seconds left");
});
