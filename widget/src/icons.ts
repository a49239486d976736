/** Line icons on a grid of 24. They only repeat what a text beside them says. */

const RING = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18";
const SHIELD = "M12 3l7.5 2.8v5.4c0 4.4-3 7.8-7.5 9.8-4.5-2-7.5-5.4-7.5-9.8V5.8z";

const PATHS = {
  add: "M12 15.5V4.5m0 0L7.5 9m4.5-4.5L16.5 9M4 15.5v2.5a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-2.5",
  waiting: `${RING}M12 7.5V12l3 2`,
  uploading: "M12 19V5m0 0-5.5 5.5M12 5l5.5 5.5",
  paused: "M9 5.5v13m6-13v13",
  offline: "M4 4l16 16M8.5 15.5a5 5 0 0 1 7 0M5 12a10 10 0 0 1 4.5-2.6m4-.2A10 10 0 0 1 19 12M12 19v.01",
  scanning: `${SHIELD}M8.5 11.5h7`,
  released: `${SHIELD}M8.5 11.8l2.5 2.5 4.5-5`,
  held: `${SHIELD}M10 9v5.5m4-5.5v5.5`,
  blocked: `${RING}M5.8 5.8l12.4 12.4`,
  refused: "M14 3H7a1.5 1.5 0 0 0-1.5 1.5v15A1.5 1.5 0 0 0 7 21h10a1.5 1.5 0 0 0 1.5-1.5v-12zM10 11.5l4 4m0-4-4 4",
  failed: "M12 4.2 2.8 20h18.4zM12 10v4.5m0 2.7v.01",
  cancelled: `${RING}M8 12h8`,
  pause: "M9 6.5v11m6-11v11",
  resume: "M8.5 5.8v12.4l9.5-6.2z",
  cancel: "M6.5 6.5l11 11m0-11-11 11",
  retry: "M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.5 3.5v4.2h-4.2",
  remove: "M6.5 6.5l11 11m0-11-11 11",
};

export type IconName = keyof typeof PATHS;

const SVG = "http://www.w3.org/2000/svg";

export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(SVG, "path"));
  setIcon(svg, name);
  return svg;
}

export function setIcon(svg: SVGSVGElement, name: IconName): void {
  const path = PATHS[name];
  if (svg.firstElementChild!.getAttribute("d") !== path) svg.firstElementChild!.setAttribute("d", path);
}
