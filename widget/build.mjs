// Builds what the service serves from widget/dist: the element as one file, and the page for an iframe.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { build, transform } from "esbuild";

const local = (path) => new URL(path, import.meta.url).pathname;

/** A style sheet that a script imports comes to it as minified text. */
const cssAsText = {
  name: "css-as-text",
  setup: (on) =>
    on.onLoad({ filter: /[/]styles[.]css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    }),
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
  plugins: [cssAsText],
  logLevel: "info",
});
