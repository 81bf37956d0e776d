// "Why?": what speaks for the label of one picture. It is asked for when it is opened, not before.
import { bars, getJSON, make, many, percent, thumbnail } from "../shared/parts.js";

let wanted = false; // opened once, it stays open from picture to picture, and when the board draws the viewer anew

// A <details> for the viewer's side. `shown` is the viewer's <img>: the heat is laid over the picture there.
export function why(run, item, shown) {
  const [id] = item;
  const address = `/api/runs/${encodeURIComponent(run)}/why/${id}`;
  const body = make("div", {});
  const part = make("details", { class: "why" }, make("summary", { onclick: () => (wanted = !part.open) }, "Why?"), body);
  part.ontoggle = async () => {
    if (!part.open || body.childElementCount) return;
    body.append(make("p", { class: "note", role: "status" }, "Looking …"));
    try {
      const answer = await getJSON(address);
      body.replaceChildren(where(address, answer, shown), ...votes(answer), ...neighbours(answer));
    } catch (error) {
      body.replaceChildren(make("p", { class: "problem", role: "alert" }, error.message));
    }
  };
  part.open = wanted;
  return part;
}

function where(address, answer, shown) {
  const plain = shown.getAttribute("src");
  const note = make("p", { class: "note", role: "status" }, "");
  const buttons = answer.votes.slice(0, 3).map(({ label }) => make("button", { type: "button", class: "chip", "aria-pressed": "false" }, label));
  const show = (button, label) => {
    const on = button.getAttribute("aria-pressed") === "false";
    for (const other of buttons) other.setAttribute("aria-pressed", String(other === button && on));
    shown.src = on ? `${address}/heat.png?label=${encodeURIComponent(label)}` : plain;
    note.textContent = on ? `Orange is where the picture looks like “${label}” rather than the others. A rough guide, not a proof.` : "";
  };
  buttons.forEach((button, index) => (button.onclick = () => show(button, answer.votes[index].label)));
  return make("section", {}, make("h4", {}, "Where in the picture?"), make("div", { class: "chips" }, ...buttons), note);
}

function votes({ votes: all, templates, margin, runner_up, kind, exclusive, levels }) {
  const alone = all.slice(0, 2).map(({ label, share }) => `“${label}” ${percent(share)}`).join(", ");
  const lead = !exclusive ? `Each label stands on its own: ${alone}.` : `It leads “${runner_up}” by ${percent(margin)} of the share.`;
  const from = kind === "zero-shot" ? "" : " The prompts are what it began with; your labels moved it from there.";
  const down = levels.length ? ` By level: ${levels.map(([name, share]) => `${name} ${percent(share)}`).join(", ")}.` : "";
  const words = make("p", { class: "note" }, lead + down + from);
  const share = bars(all.filter(({ won }) => won).map(({ label, won }) => [label, won / Math.max(1, templates)]), `How ${many(templates, "template")} would choose, each alone`);
  const prompts = make("ul", { class: "prompts" }, ...all[0].prompts.map(([text, cosine]) => make("li", {}, make("span", {}, text), make("span", { class: "share" }, cosine.toFixed(3)))));
  return [words, share, make("details", {}, make("summary", {}, `Prompts of “${all[0].label}”, and how close each is (1 is the same)`), prompts)];
}

function neighbours({ neighbours: near }) {
  if (!near.length) return [make("p", { class: "note" }, "No image is labelled yet; the nearest labelled ones would be here.")];
  const cards = near.map((image) => make("figure", { class: "card" }, thumbnail(image), make("span", {}, `${image[3]} ${image[4].toFixed(2)}`)));
  return [make("h4", {}, "Nearest labelled images"), make("div", { class: "cards" }, ...cards)];
}
