// The participants' list: released files, asked for again and again, more seldom while nobody answers.

// As the widget counts, and file managers do.
const MIB = 1024 * 1024;
const OFTEN = 2000;
const SELDOM = 15000;
const PATIENCE = 10000;
const EMPTY = "Nothing yet. A file appears here once it was found clean.";

const kilobytes = new Intl.NumberFormat("en", { style: "unit", unit: "kilobyte", maximumFractionDigits: 1 });
const megabytes = new Intl.NumberFormat("en", { style: "unit", unit: "megabyte", maximumFractionDigits: 1 });
const time = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

class Away extends Error {}

/**
 * Keep `list` (a ul) showing what was released, `hint` how much that is and `notice` what must be said with it.
 * After each look `looked` is called with who did not answer, or null. Returns a function that looks at once.
 */
export function watchFiles({ list, hint, notice }, looked) {
  let pause = OFTEN;
  let timer = 0;
  let looking = false;

  async function look() {
    if (looking) return;
    looking = true;
    clearTimeout(timer);
    try {
      const files = await ask("files");
      show(list, files);
      write(hint, files.length ? `${files.length} ${files.length === 1 ? "file" : "files"}, newest first` : EMPTY);
      write(notice, files.find((file) => file.notice)?.notice ?? "");
      pause = OFTEN;
      looked(null);
    } catch (error) {
      pause = Math.min(pause * 1.6, SELDOM);
      looked(error instanceof Away ? "Greenroom" : "The room's own server");
    }
    looking = false;
    timer = setTimeout(look, document.hidden ? SELDOM : pause * (0.8 + Math.random() * 0.4));
  }

  document.addEventListener("visibilitychange", () => document.hidden || look());
  look();
  return look;
}

async function ask(path, method = "GET") {
  const answer = await fetch(path, { method, credentials: "omit", signal: AbortSignal.timeout(PATIENCE) });
  if (answer.status === 502) throw new Away();
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

function show(list, files) {
  const there = new Map([...list.children].map((row) => [row.dataset.id, row]));
  const wanted = files.map((file) => there.get(file.id) ?? row(file));
  for (const one of there.values()) if (!wanted.includes(one)) one.remove();
  // A row that stays is not moved: it may have the focus.
  wanted.forEach((one, at) => list.children[at] === one || list.insertBefore(one, list.children[at] ?? null));
}

function row(file) {
  const dot = file.name.lastIndexOf(".");
  const size = file.size < MIB ? kilobytes.format(file.size / 1024) : megabytes.format(file.size / MIB);
  const item = document.createElement("li");
  item.dataset.id = file.id;
  item.append(
    text("span", "kind", file.name.slice(dot + 1)),
    text("strong", "name", file.name),
    text("span", "facts", `${size}, shared at ${time.format(new Date(file.at))}`),
  );
  const button = text("button", "", "Download");
  button.type = "button";
  button.setAttribute("aria-label", `Download ${file.name}`);
  button.addEventListener("click", () => download(file, item.querySelector(".facts")));
  item.append(button);
  return item;
}

// With a grant for this one file, from Greenroom itself: neither this page nor its server keeps a copy.
async function download(file, facts) {
  try {
    const { url, token } = await ask(`files/${file.id}/download-grant`, "POST");
    const answer = await fetch(url, { headers: { Authorization: `Bearer ${token}` }, credentials: "omit" });
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = file.name;
    link.click();
    URL.revokeObjectURL(link.href);
  } catch {
    facts.textContent = "Could not be fetched just now. Try again.";
  }
}

// What is said again is not written again: it would be read out again.
export function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function text(tag, name, content) {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = content;
  return element;
}
