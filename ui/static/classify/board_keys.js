// The board's keys: they move, select, walk and open; in the large view they label the picture that is shown.
import { NONE, UNSURE } from "./changes.js";
import { isSwitchedOff } from "../shared/frame.js";
import { clamp } from "./pile.js";

// the code and not the key: on some keyboards digits need shift
const digit = (event) => /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];

// `pile` is the column in which the key was pressed, if any.
export function press(board, event, pile) {
  if (!board.piles.size || event.altKey || event.defaultPrevented) return;
  const ctrl = event.ctrlKey || event.metaKey;
  const key = event.key.toLowerCase();
  const inList = pile && event.target === pile.list;
  if (event.target === board.field) {
    if (key !== "enter") return;
    board.named((code) => board.move(code));
  } else if ((event.target.matches("input, select") && !ctrl) || isSwitchedOff(event)) return; // a field's own keys; the dial's arrows
  else if (ctrl && key === "z") board.steps.send(event.shiftKey ? "step/redo" : "step/undo");
  else if ([board.viewer, board.banner, board.help, board.trial, board.pair].some(({ dialog }) => dialog.open)) return large(board, event, key, ctrl);
  else if (ctrl && key === "a" && pile) board.select(pile.ids, "", pile);
  else if (inList && walk(board, key, pile, event.shiftKey ? "range" : ctrl ? "focus" : ""));
  else if (ctrl) return;
  else if (board.answer.many && target(board, event, key) === null && pile?.code >= 0) board.move(pile.code, undefined, -1);
  else if (target(board, event, key) !== undefined || digit(event)) board.move(target(board, event, key));
  else if (key === "m") board.field.focus();
  else if (key === "?") board.help.show();
  else if (key === "escape") board.select([]);
  else if (key === "enter" && inList) board.open();
  else if (key === " " && inList && board.current !== undefined) board.select([board.current], "toggle");
  else return;
  event.preventDefault();
}

// "?" wherever the focus is, but in a field: who asks for the keys does not know yet where they work.
export function askedFor(board, event) {
  const isTyping = event.composedPath()[0].matches?.("input, select, textarea");
  if (event.key !== "?" || event.defaultPrevented || isTyping || isSwitchedOff(event) || !board.offsetParent) return;
  event.preventDefault();
  board.help.show();
}

// The keys that move: 1 to 9 for the open classes from left to right, U, N, and Delete for "no label".
function target(board, event, key) {
  if (digit(event)) return board.hot()[digit(event) - 1]?.code;
  return { u: UNSURE, n: NONE, delete: null, backspace: null }[key];
}

// In the large view the same keys label the picture that is shown and go on to the next.
function large(board, event, key, ctrl) {
  const to = target(board, event, key);
  if (ctrl || to === undefined || !board.viewer.dialog.open) return;
  event.preventDefault();
  label(board, to);
}

export function label(board, to) {
  const { viewer } = board;
  const id = viewer.items[viewer.index][0];
  if (board.answer.many && to >= 0) {
    board.move(to, [id], board.places(id).includes(to) && board.cards.get(id).said !== null ? -1 : 1); // on and off
    return viewer.show(viewer.index);
  }
  board.move(to, [id]);
  if (viewer.index + 1 < viewer.items.length) viewer.step(1);
  else viewer.dialog.close();
}

function walk(board, key, pile, mode) {
  const { across, ids, page } = pile;
  const side = { arrowleft: -1, arrowright: 1 }[key];
  const jump = side ?? { arrowup: -across, arrowdown: across, pageup: -page, pagedown: page, home: -ids.length, end: ids.length }[key];
  if (!jump) return key in { home: 0, end: 0 };
  const at = ids.indexOf(board.current);
  const atEdge = side && !mode && (at < 0 || at % across === (side < 0 ? 0 : across - 1) || !(at + side in ids));
  const open = board.shown().filter((other) => other.ids.length || other === pile);
  const next = atEdge ? open[open.indexOf(pile) + side] ?? pile : pile;
  const row = Math.floor(Math.max(at, 0) / across) * next.across;
  const to = next !== pile ? row + (side < 0 ? next.across - 1 : 0) : at < 0 ? 0 : at + jump;
  if (next !== pile) {
    next.list.focus();
    next.root.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  if (next.ids.length) {
    board.select([next.ids[clamp(to, 0, next.ids.length - 1)]], mode, next);
    next.reveal(board.current);
  }
  return true;
}
