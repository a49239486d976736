// The room: what a page does with <greenroom-upload>, and what else happens on it.

import { watchFiles, write } from "./files.js";
import { tell } from "./passage.js";

const widget = document.querySelector("greenroom-upload");
const away = document.getElementById("away");
const samples = document.querySelectorAll("[data-sample]");
let grant = null;
let script = document.getElementById("widget-script");

async function post(path) {
  const answer = await fetch(path, { method: "POST", credentials: "omit" });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

// An upload belongs to the grant that it began under: while that one can be refreshed, go on with it.
async function token() {
  const renewed = grant && (await post(`upload-grants/${grant}/refresh`).catch(() => null));
  const given = renewed ?? (await post("upload-grants"));
  grant = given.id;
  return given.token;
}

async function add(name) {
  const answer = await fetch(`samples/${name}`, { credentials: "omit" });
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  widget.addFiles([new File([await answer.blob()], name)]);
}

// The element's script comes from Greenroom, which may have been away as the page was opened. A browser may
// remember that an address failed, so it is asked for under another one.
function loadAgain() {
  const again = document.createElement("script");
  again.type = "module";
  again.src = `${script.src.split("?")[0]}?at=${Date.now()}`;
  script.replaceWith(again);
  script = again;
}

const [list, hint, notice] = ["shared", "shared-hint", "notice"].map((id) => document.getElementById(id));
const look = watchFiles({ list, hint, notice }, (missing) => {
  const defined = customElements.get("greenroom-upload");
  if (missing) write(away, `${missing} does not answer. Files cannot be shared or fetched until it does; this page keeps trying.`);
  else write(away, defined ? "" : "The upload panel could not be loaded from Greenroom. This page keeps trying.");
  if (!missing && !defined) loadAgain();
  // A pause or a lost line is no event.
  if (defined) tell(widget.items);
});

customElements.whenDefined("greenroom-upload").then(() => {
  widget.tokenProvider = token;
  for (const name of ["file-added", "progress", "scanning", "verdict", "error"]) {
    widget.addEventListener(name, () => tell(widget.items));
  }
  widget.addEventListener("verdict", look);
  for (const button of samples) {
    button.disabled = false;
    button.addEventListener("click", () => add(button.dataset.sample).catch(() => write(away, "The file could not be fetched. Try again.")));
  }
});

document.querySelector(".choices").addEventListener("change", ({ currentTarget }) => {
  const chosen = new FormData(currentTarget);
  const theme = chosen.get("theme");
  widget.lang = chosen.get("lang");
  for (const [element, name] of [[document.documentElement, "data-theme"], [widget, "theme"]]) {
    if (theme === "system") element.removeAttribute(name);
    else element.setAttribute(name, theme);
  }
  history.replaceState(null, "", `?${new URLSearchParams(chosen)}`);
});
