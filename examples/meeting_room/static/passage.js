// What happened to each upload, in words.

// How many of the four stations a file has reached in a state, and what to say. Any other state is a halt.
const STATES = {
  waiting: [0, "Waits for its turn."],
  uploading: [1, "On its way into quarantine; ClamAV reads along as the bytes arrive."],
  paused: [1, "Paused. What has arrived is kept in quarantine."],
  offline: [1, "The line is gone. What has arrived is kept, and the upload goes on from there."],
  scanning: [2, "All of it is in quarantine. Nobody can fetch it until the scan has an answer."],
  released: [4, "Let through, and released to the room."],
  blocked: [3, "Stopped. It stays in quarantine and never reaches the room."],
  held: [3, "Could not be proved clean, so it is held back for the security team."],
  refused: [0, "Not accepted by the room's rules. Nothing of it is kept."],
  failed: [0, "The upload failed. Nothing reached the room."],
  cancelled: [0, "Cancelled. Nothing reached the room."],
};
const LIVE = new Set(["waiting", "uploading", "paused", "offline", "scanning"]);
const MOST = 6;
const rows = new Map();

/** Tell of all uploads, the widget's `items`. One that left its list before it came to an end was cancelled. */
export function tell(items) {
  const there = new Set(items.map(({ id }) => id));
  for (const [id, { dataset }] of rows) {
    if (!there.has(id) && LIVE.has(dataset.state)) put({ id, state: "cancelled" });
  }
  items.forEach(put);
}

function put({ id, name, state }) {
  if (!rows.has(id)) {
    const list = document.getElementById("journeys");
    rows.set(id, row(name));
    list.prepend(rows.get(id));
    if (list.children.length > MOST) list.lastElementChild.remove();
    document.getElementById("passage-hint").hidden = true;
  }
  const item = rows.get(id);
  if (item.dataset.state === state) return;
  const [reached, words] = STATES[state] ?? [0, state];
  item.dataset.state = state;
  item.querySelector(".words").textContent = words;
  [...item.querySelector(".track").children].forEach((mark, at) => mark.classList.toggle("reached", at < reached));
}

function row(name) {
  const item = document.createElement("li");
  const track = document.createElement("span");
  track.className = "track";
  track.setAttribute("aria-hidden", "true");
  for (let station = 0; station < 4; station += 1) track.append(document.createElement("i"));
  const title = document.createElement("strong");
  title.textContent = name;
  const words = document.createElement("span");
  words.className = "words";
  item.append(track, title, words);
  return item;
}
