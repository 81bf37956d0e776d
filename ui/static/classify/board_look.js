// What the board shows beside its columns: all that is known of one picture, help with the keys, and skipped files.
import { label } from "./board_keys.js";
import { NONE, UNSURE, placeName } from "./changes.js";
import { bars, make, many, percent } from "../shared/parts.js";
import { whole } from "./lesson.js";
import { why } from "./why.js";

// For the viewer's side. An item that follows from a lesson or a doubt carries its place before and after; a doubt also
// the figure of the other label and the bars it is read from.
export function explain(board, item) {
  const [id, , , before, after, confidence, doubted] = item;
  const card = board.cards.get(id);
  const shares = make("div", { class: "shares" });
  const words = { said: make("p"), doubt: make("p", { class: "doubt" }) };
  if (confidence !== undefined) words.doubt.textContent = `You said ${placeName(board.labels, before)}. Your other labels say ${placeName(board.labels, after)}, ${percent(confidence)}.`;
  else if (after !== undefined) words.doubt.textContent = `Now ${placeName(board.labels, before)}; it would be ${placeName(board.labels, after)}.`;
  const names = card ? board.places(id).map((code) => placeName(board.labels, code)).join(", ") : "";
  const reason = card?.why && `${card.why[0].toUpperCase()}${card.why.slice(1)}. `;
  words.said.textContent = !card ? "" : card.said === null ? `Sorted into ${names}; nobody has labelled it. ${reason}Likely right: ${whole(card.share)}.` : `You put it into ${names}.`;
  const pressed = (pile) => (board.answer.many && card ? String(board.places(id).includes(pile.code)) : null);
  const chip = (pile) => make("button", { type: "button", class: "chip", "aria-pressed": pressed(pile), onclick: () => label(board, pile.code) }, make("kbd", {}, pile.key.textContent), ` ${pile.name}`);
  const chips = make("div", { class: "labels", role: "group", "aria-label": "Label it" }, ...[...board.hot(), board.piles.get(UNSURE), board.piles.get(NONE)].map(chip));
  board.attempt(async () => {
    const { top, none } = await board.steps.get(`images/${id}`);
    const { exclusive, model, prompts, kind } = board.answer;
    if (doubted) return shares.replaceChildren(bars(doubted, "What your other labels say of it"));
    const what = exclusive ? "How the model divides it among your names" : "How well each name fits by itself";
    const like = make("p", { class: "note" }, `Looks like none of these: ${percent(none)}`);
    shares.replaceChildren(bars(top, what), like, make("p", { class: "note" }, `${model} · ${kind} · prompts: ${prompts}`));
  });
  return [words.doubt, words.said, chips, shares, why(board.run, item, board.viewer.image)];
}

export function help(several) {
  const rows = [
    ["1 to 9, U, N", several ? "label with an open class, Unsure, None of these" : "move to an open class, Unsure, None of these"],
    ["M", "type a class"],
    ["Delete", several ? "it is not this" : "take the label away"],
    ["Arrows", "go from image to image; with shift select, with ctrl only go"],
    ["Space", "select or not"],
    ["Ctrl+A", "select the column"],
    ["Enter", "look at it large; the same keys label it there"],
    ["Ctrl+Z, Ctrl+Shift+Z", "undo, redo"],
  ];
  const list = make("dl", {}, ...rows.flatMap(([keys, what]) => [make("dt", {}, keys), make("dd", {}, what)]));
  return make("details", { class: "help" }, make("summary", {}, "Keys and mouse"), list, make("p", { class: "note" }, "Drag images onto a column, or draw a frame around them from the edge of a column or with shift. Every move is a label."));
}

export function skipped(files) {
  const rows = files.map(([name, reason]) => make("li", {}, make("b", {}, name.split(/[\\/]/).pop()), ` ${reason}`));
  return make("details", { class: "skipped", open: "" }, make("summary", {}, `${many(files.length, "file")} skipped`), make("ul", {}, ...rows));
}
