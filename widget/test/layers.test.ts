import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const SOURCE = new URL("../src/", import.meta.url);
const LAYERS = [
  ["state", "limits", "problem", "verdict", "names", "pace", "slots", "patience", "dom", "icons", "styles", "resume"],
  ["grant"],
  ["tus/stack", "tus/base64", "tus/url", "tus/quiet"],
  ["api"],
  ["transport"],
  ["terms", "item"],
  ["uploads"],
  ["messages/index", "messages/en", "messages/de", "messages/pl", "messages/fr", "messages/es", "messages/ar"],
  ["translator"],
  ["advice"],
  ["announcer", "row"],
  ["view"],
  ["element"],
  ["greenroom-upload", "host-link"],
  ["embed"],
];
const PAGE = new Set(["dom", "icons", "styles", "row", "view", "element", "greenroom-upload", "embed"]);
const rank = (module: string) => LAYERS.findIndex((layer) => layer.includes(module));

/** Every module, with its text without comments. */
const modules = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"))
  .map((path) => {
    const text = readFileSync(new URL(path, SOURCE), "utf8").replace(/\/\*.*?\*\/|\/\/.*$/gms, "");
    return { name: path.replace(/\.ts$/, ""), path, text };
  });

test("every module has its layer, and runs only what is in the layers above", () => {
  for (const { name, path, text } of modules) {
    assert.ok(rank(name) >= 0, `${name} is in no layer`);
    // What is imported as a type only is gone before anything runs.
    for (const [, names, target] of text.matchAll(/^import (?!type )([^;]*?)from "(\.[^"]+)\.ts";/gms)) {
      if (/^\{(\s*type \w+,?)+\s*\}\s*$/.test(names!)) continue;
      const other = new URL(target!, new URL(path, SOURCE)).pathname.slice(SOURCE.pathname.length);
      const own = name.startsWith("messages/") && other.startsWith("messages/");
      assert.ok(own || rank(other) < rank(name), `${name} imports ${other}`);
    }
  }
});

test("only the page's layer knows a document", () => {
  for (const { name, text } of modules) {
    if (!PAGE.has(name)) assert.doesNotMatch(text, /\b(document\.(create|query|get|body|base)|window\.|navigator\.)|HTML\w*Element/, name);
  }
});

test("no markup is ever made of text, and nothing is evaluated", () => {
  for (const { name, text } of modules) {
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|"style"/, name);
  }
});

test("a host page's custom properties cannot meet the widget's own by chance", () => {
  const styles = readFileSync(new URL("styles.css", SOURCE), "utf8");
  for (const [, name] of styles.matchAll(/(--[\w-]+)\s*[:,)]/g)) assert.match(name!, /^--(_|greenroom-)/);
});
