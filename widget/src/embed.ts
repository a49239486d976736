/** The script of `/embed`: the widget in an iframe, its settings from the address, its grant from the host page. */

import type { GreenroomUpload } from "./element.ts";
import { HostLink } from "./host-link.ts";

/** What the address may say; each is an attribute of the element. */
const SETTINGS = ["meeting", "lang", "theme", "resume"];
const EVENTS = ["file-added", "progress", "scanning", "verdict", "error"];

const page = document.documentElement;
const address = new URLSearchParams(location.search);
const widget = document.createElement("greenroom-upload") as GreenroomUpload;
const link = new HostLink(window.parent, new Set(page.dataset["hosts"]?.split(" ")), (token) => {
  widget.token = token;
});

for (const name of SETTINGS) {
  const value = address.get(name);
  if (value) widget.setAttribute(name, value);
}
page.lang = address.get("lang") || page.lang;
page.dataset["theme"] = address.get("theme") ?? "";
widget.tokenProvider = (wanted) => link.askForToken(wanted);
for (const name of EVENTS) {
  widget.addEventListener(name, (event) => {
    link.send({ type: "event", name, detail: (event as CustomEvent<unknown>).detail });
  });
}
window.addEventListener("message", (event) => {
  link.receive(event);
});
document.querySelector("main")?.replaceChildren(widget);
new ResizeObserver(() => {
  link.send({ type: "resize", height: Math.ceil(page.getBoundingClientRect().height) });
}).observe(page);
link.ready();
