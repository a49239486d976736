// Builds what the service serves from widget/dist: the element as one file, and the page for an iframe.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";

const local = (path) => fileURLToPath(new URL(path, import.meta.url));

/** A style sheet that a script imports comes to it as minified text. */
const cssAsText = {
  name: "css-as-text",
  setup: (on) =>
    on.onLoad({ filter: /[/]styles[.]css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    }),
};

/** Six languages name the same keys: once is enough, and each language a list in that order. */
const packedMessages = {
  name: "packed-messages",
  setup: (on) =>
    on.onLoad({ filter: /[/]messages[/]index[.]ts$/ }, async ({ path }) => {
      const { LANGUAGES } = await import(path);
      const keys = [...new Set(Object.values(LANGUAGES).flatMap(Object.keys))];
      const texts = Object.entries(LANGUAGES).map(([tag, of]) => [tag, keys.map((key) => of[key] ?? "").join("|")]);
      const contents = `const keys = ${JSON.stringify(keys.join("|"))}.split("|");
        const named = (text) => Object.fromEntries(text.split("|").map((one, at) => [keys[at], one]).filter(([, one]) => one));
        export const LANGUAGES = { ${texts.map(([tag, text]) => `${tag}: named(${JSON.stringify(text)})`)} };`;
      return { contents, loader: "js" };
    }),
};

/** What is not used here of tus-js-client stays out: sending one file in parallel parts, its own words for errors. */
const slimTus = {
  name: "slim-tus",
  setup: (on) => {
    on.onResolve({ filter: /^[.][/](error|logger)[.]js$/ }, ({ importer }) =>
      importer.includes("tus-js-client") ? { path: local("src/tus/quiet.ts") } : null,
    );
    on.onLoad({ filter: /[/]tus-js-client[/]lib[/]upload[.]js$/ }, async ({ path }) => {
      const whole = await readFile(path, "utf8");
      const parts = whole.split(/  _startParallelUpload\(\) \{\n.*?\n  \}\n/s);
      if (parts.length !== 2) throw new Error("tus-js-client is not the version that this build knows");
      return { contents: parts.join(""), loader: "js" };
    });
  },
};

await build({
  absWorkingDir: local("."),
  entryPoints: ["src/greenroom-upload.ts", "src/embed.ts", "src/embed.css"].filter((path) => existsSync(local(path))),
  outdir: "dist",
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  // tus-js-client names what is private to it so; nothing of ours begins with an underscore.
  mangleProps: /^_/,
  charset: "utf8",
  legalComments: "none",
  banner: { js: "/* Greenroom upload widget, Apache-2.0. Holds tus-js-client, MIT, Copyright (c) Transloadit. */" },
  // What the platform has by now, and what only other platforms need.
  alias: {
    "js-base64": "./src/tus/base64.ts",
    "url-parse": "./src/tus/url.ts",
  },
  plugins: [cssAsText, packedMessages, slimTus],
  logLevel: "warning",
});
