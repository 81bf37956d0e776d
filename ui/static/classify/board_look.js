// What the board shows beside its columns: all that is known of one picture, help with the keys, skipped files, downloads, and
// on a phone a button for each column.
import { label } from "./board_keys.js";
import { NONE, UNSURE, colour, placeName } from "./changes.js";
import { isNarrow } from "./arrange.js";
import { hasLetters, switchLetters } from "../shared/frame.js";
import { begin } from "../shared/tour.js";
import { allSets } from "../sessions/label_sets.js";
import { bars, make, many, percent } from "../shared/parts.js";
import { whole } from "./lesson.js";
import { parts } from "./parts.js";
import { why } from "./why.js";

const MOST_CHIPS = 30; // buttons for classes beside one picture

// For the viewer's side. An item that follows from a lesson or a doubt carries its place before and after; a doubt also
// the figure of the other label and the bars it is read from.
export function explain(board, item) {
  const [id, , , before, after, confidence, doubted] = item;
  const card = board.cards.get(id);
  const shares = make("div", { class: "shares" });
  const words = { said: make("p"), doubt: make("p", { class: "doubt" }) };
  if (confidence !== undefined) words.doubt.textContent = `You said ${placeName(board.labels, before)}. Your other labels say ${placeName(board.labels, after)}, ${percent(confidence)}.`;
  else if (after !== undefined) words.doubt.textContent = `Now ${placeName(board.labels, before)}; it would be ${placeName(board.labels, after)}.`;
  else if (board.partly?.has(id) && card?.said === null) words.doubt.textContent = board.partly.get(id);
  const names = card ? board.places(id).map((code) => placeName(board.labels, code)).join(", ") : "";
  const reason = card?.why && `${card.why[0].toUpperCase()}${card.why.slice(1)}. `;
  words.said.textContent = !card ? "" : card.said === null ? `Sorted into ${names}; nobody has labelled it. ${reason}Likely right: ${whole(card.share).replace(" ", "\u00a0")}.` : `You put it into ${names}.`;
  const pressed = (pile) => (board.answer.many && card ? String(board.places(id).includes(pile.code)) : null);
  const chip = (pile) => make("button", { type: "button", class: "chip", "aria-pressed": pressed(pile), onclick: () => label(board, pile.code) }, make("kbd", {}, pile.key.textContent), ` ${pile.name}`);
  const classes = board.labels.map((name, code) => board.piles.get(code) ?? { code, name, key: make("kbd") }); // of an upper level
  const offered = classes.length > MOST_CHIPS ? board.hot() : classes; // M types any other
  const chips = make("div", { class: "labels", role: "group", "aria-label": "Label it" }, ...[...offered, board.piles.get(UNSURE), board.piles.get(NONE)].map(chip));
  board.attempt(async () => {
    const { top, none } = await board.steps.get(`images/${id}`);
    const { exclusive, model, prompts, kind } = board.answer;
    if (doubted) return shares.replaceChildren(bars(doubted, "What your other labels say of it"));
    const what = exclusive ? "How the model divides it among your names" : "How well each name fits by itself";
    const like = make("p", { class: "note" }, `Looks like none of these: ${percent(none)}`);
    shares.replaceChildren(bars(top, what, truth(board, card)), like, make("p", { class: "note" }, `${model} · ${kind} · prompts: ${prompts}`));
  });
  return [words.doubt, words.said, chips, shares, why(board.run, item, board.viewer.image), parts(board.run, item, board.viewer.image)];
}

// The labels that a person gave a picture, "" for none of the classes; null where nobody said, or was unsure.
function truth(board, card) {
  const places = !card || card.said === null ? [UNSURE] : board.places(card.id);
  return places.includes(UNSURE) ? null : places.map((code) => board.labels[code] ?? "");
}

// What the keys do. `several()` says whether an image can have several labels.
export class Help {
  constructor(several) {
    this.several = several;
    this.dialog = make("dialog", { class: "viewer sheet help", "aria-label": "Keys and mouse" });
    this.dialog.onclick = (event) => {
      if (event.target === this.dialog) this.dialog.close();
    };
  }
  show() {
    if (this.dialog.open) return;
    const several = this.several();
    const rows = [
      ["1 to 9, U, N", several ? "label with an open class, Unsure, None of these" : "move to an open class, Unsure, None of these"],
      ["M", "type a class"],
      ["Delete", several ? "it is not this" : "take the label away"],
      ["Arrows", "go from image to image; with shift select, with ctrl only go"],
      ["Space", "select or not"],
      ["Ctrl+A", "select the column"],
      ["Enter", "look at it large and label it there; two, side by side"],
      ["Ctrl+Z, Ctrl+Shift+Z", "undo, redo"],
      ["P", "hide or show the panel"],
      ["?", "these keys"],
    ];
    const list = make("dl", {}, ...rows.flatMap(([keys, what]) => [make("dt", {}, keys), make("dd", {}, what)]));
    const words = make("p", { class: "note" }, "Drag images onto a column. Begin beside a tile, or hold shift, to draw a frame around several. Every move is a label.");
    const tour = make("button", { type: "button", onclick: () => (this.dialog.close(), begin()) }, "Take the tour");
    const bar = make("div", { class: "bar" }, make("h2", { class: "place" }, "Keys and mouse"), tour, make("button", { type: "button", onclick: () => this.dialog.close() }, "Close"));
    const letters = make("input", { type: "checkbox", onchange: () => switchLetters(letters.checked) });
    letters.checked = hasLetters();
    const choice = make("label", { class: "choice" }, letters, " Single letters, digits and ? work as keys");
    this.dialog.replaceChildren(bar, make("div", { class: "side" }, list, words, choice));
    this.dialog.showModal();
  }
}

// One line above the columns; which files they are is a click away.
export function skipped(files, close) {
  const rows = files.map(([name, reason]) => make("li", {}, make("b", {}, name.split(/[\\/]/).pop()), ` ${reason}`));
  const details = make("details", { class: "skipped" }, make("summary", {}, `${many(files.length, "file")} skipped. See which.`), make("ul", {}, ...rows));
  return [details, make("button", { type: "button", class: "icon close", "aria-label": "Close", onclick: close })];
}

export function downloads(url, onclick) {
  const link = (name, text) => make("a", { href: `${url}/${name}`, download: name, onclick }, text);
  const links = [link("labels.csv", "CSV"), link("labels.json", "JSON"), link("coco.json", "COCO"), link("label-studio.json", "Label Studio"), link("classifier.safetensors", "Classifier file")];
  return make("nav", { class: "downloads", "aria-label": "Downloads" }, make("h3", {}, "Download"), ...links, allSets);
}

// On a phone: a button for each column, in the order of the columns. The one in sight is pressed.
export class Tabs {
  constructor(board) {
    this.board = board;
    this.root = make("div", { class: "tabs", role: "group", "aria-label": "Columns" });
  }
  draw() {
    if (!this.root.offsetParent) return;
    const piles = [...this.board.strip.children].map((root) => root.pile).filter(Boolean);
    if (String(piles.map(({ code }) => code)) !== this.drawn) {
      this.drawn = String(piles.map(({ code }) => code));
      const go = (pile) => this.board.strip.scrollTo({ left: pile.root.offsetLeft });
      this.buttons = piles.map((pile) => Object.assign(make("button", { type: "button", onclick: () => go(pile) }, make("i"), make("span", {}, pile.name), make("span", { class: "count" })), { pile }));
      for (const button of this.buttons) button.style.setProperty("--c", `var(--${colour(button.pile.code)})`);
      this.root.replaceChildren(...this.buttons);
    }
    for (const button of this.buttons) {
      const count = button.pile.count.textContent;
      if (button.lastChild.textContent !== count) button.lastChild.textContent = count;
      button.classList.toggle("none", count === "0");
    }
    this.follow();
  }
  follow() {
    const { strip } = this.board;
    const at = Math.round(strip.scrollLeft / Math.max(1, strip.clientWidth));
    this.buttons?.forEach((button, i) => {
      if (button.getAttribute("aria-pressed") === String(i === at)) return;
      button.setAttribute("aria-pressed", i === at);
      if (i === at) this.root.scrollTo({ left: button.offsetLeft - 90 });
    });
  }
}

// On a phone: what can be done with the selected images, in place of the line of tools.
export class Picked {
  constructor(board) {
    this.board = board;
    this.root = make("div", { class: "picked", role: "toolbar", "aria-label": "Selected images", hidden: "" });
  }
  draw() {
    const { board } = this;
    const count = isNarrow() ? board.selected.size : 0;
    this.root.hidden = !count;
    board.bar.classList.toggle("away", count > 0);
    if (!count || this.drawn === `${count} ${board.run}`) return;
    this.drawn = `${count} ${board.run}`;
    const button = (text, onclick, kind = null) => make("button", { type: "button", class: kind, onclick }, text);
    const to = [...board.piles.values()].sort((a, b) => (a.code < 0) - (b.code < 0)).map((pile) => button(pile.name, () => board.move(pile.code)));
    const none = Object.assign(button("", () => board.select([]), "icon close"), { ariaLabel: "Select nothing" });
    this.root.replaceChildren(none, make("b", {}, `${count.toLocaleString("en")} to`), ...to, button("No label", () => board.move(null)), button("Look", () => board.open()));
  }
}
