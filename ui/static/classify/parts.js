// "Look at parts": small things in large pictures. Of one picture its windows and a map of each class, beside it in the viewer;
// of a board those images without an answer in which a part shows one, as a job.
import { getJSON, make, many, percent } from "../shared/parts.js";

const POLL = 700; // milliseconds
const CHIPS = 8; // classes with a map
let wanted = false; // opened once, it stays open from picture to picture

// A <details> for the viewer's side. `shown` is the viewer's <img>: the map is laid over the picture there.
export function parts(run, item, shown) {
  const [id] = item;
  const address = `/api/runs/${encodeURIComponent(run)}/parts/${id}`;
  const body = make("div", {});
  const part = make("details", { class: "why parts" }, make("summary", { onclick: () => (wanted = !part.open) }, "Look at parts"), body);
  part.ontoggle = async () => {
    if (!part.open || body.childElementCount) return;
    body.append(make("p", { class: "note", role: "status" }, "Looking …"));
    try {
      body.replaceChildren(...told(address, await getJSON(address), shown));
    } catch (error) {
      body.replaceChildren(make("p", { class: "problem", role: "alert" }, error.message));
    }
  };
  part.open = wanted;
  return part;
}

function told(address, { windows, found, labels }, shown) {
  const plain = shown.getAttribute("src");
  const note = make("p", { class: "note", role: "status" }, "");
  const buttons = labels.slice(0, CHIPS).map(([label, share]) => make("button", { type: "button", class: "chip", "aria-pressed": "false", title: `${percent(share)} in the part that looks most like it` }, label));
  const show = (button, [label, share]) => {
    const on = button.getAttribute("aria-pressed") === "false";
    for (const other of buttons) other.setAttribute("aria-pressed", String(other === button && on));
    shown.src = on ? `${address}/map.png?label=${encodeURIComponent(label)}` : plain;
    note.textContent = on ? `Orange parts look most like “${label}”: ${percent(share)} at best.` : "";
  };
  buttons.forEach((button, at) => (button.onclick = () => show(button, labels[at])));
  const rows = found.slice(0, 5).map(({ label, likely, box }) => make("li", {}, make("b", {}, label), ` ${where(box)}, likely right: ${percent(likely)}`));
  const words = found.length ? `Of ${many(windows, "part")}, these show something:` : `None of ${many(windows, "part")} has a sure answer.`;
  return [make("p", { class: "note" }, words), make("ul", { class: "found" }, ...rows), make("h4", {}, "Where in the picture?"), make("div", { class: "chips" }, ...buttons), note];
}

function where([left, top, right, bottom]) {
  const third = (middle, names) => names[Math.min(2, Math.floor(middle * 3))];
  const [down, across] = [third((top + bottom) / 2, ["top", "middle", "bottom"]), third((left + right) / 2, ["left", "middle", "right"])];
  return down === across ? "in the middle" : `${down} ${across}`;
}

// All images of the board without an answer; `board` says how far it is. Asked again while it runs, it stops.
export async function lookAtParts(board, button) {
  const { url } = board.steps;
  if (board.looking) return void getJSON(`${url}/parts/${board.looking}/stop`, { method: "POST" });
  await board.attempt(async () => {
    const { job } = await getJSON(`${url}/parts`, { method: "POST" });
    board.looking = job;
    button.textContent = "Stop looking";
    const { steps } = board;
    for (;;) {
      const answer = await getJSON(`${url}/parts?job=${job}`);
      if (steps !== board.steps) return;
      if (answer.state === "failed") throw new Error(answer.error);
      if (answer.state === "cancelled") return board.say("Stopped looking at parts.");
      if (answer.state === "done") return end(board, answer);
      board.say(answer.total ? `Looking at parts: ${answer.done.toLocaleString("en")} of ${many(answer.total, "image")}` : "Looking at parts …");
      await new Promise((done) => setTimeout(done, POLL));
    }
  });
  board.looking = null;
  button.textContent = "Look at parts";
}

function end(board, { looked, items }) {
  if (!looked) return board.say("Every image has an answer or a label.");
  board.say(`${items.length.toLocaleString("en")} of ${many(looked, "image")} without an answer show something in a part.`);
  board.partly = new Map(items.map(([id, , , label, likely]) => [id, `A part of it looks like ${label}; likely right: ${percent(likely)}.`]));
  if (items.length) wanted = true;
  if (items.length) board.look(items.map(([id, content, name]) => [id, content, name]), 0);
}
