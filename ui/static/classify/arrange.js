// Where the board's columns stand. The width is cut into tracks of one tile: each column gets one, the others go, one by one, to
// the column that hides most pictures, so that no space is left over. Where that is too narrow, the classes take two or three
// lanes; where that is too narrow, too, they scroll sideways. Empty and folded columns are strips, still a place to drop on.
import { NONE, UNSURE } from "./changes.js";

export const GAP = 3, PAD = 4; // between tiles, and around them; as in board.css
const OVER = 2 * PAD + 2 + 5; // a column's padding and border, and the gap to the next
const HEAD = 31 + PAD; // its header
const STRIP = 35; // a strip with its gap
const NAME = 160; // pixels of a strip's length at least: several stand one below the other
const SHELF = 141; // where strips are many, they are rows of this width
const LANES = 3, LANE = 220; // lanes at most, and the pixels that each needs at least
const STRETCH = 1.75; // tiles are not drawn larger than that, however much room there is
const FIRST = 96; // pixels of a column's first track at least: its name has to fit

export const isNarrow = () => matchMedia("(max-width: 700px)").matches;
const rowsIn = (height, size) => Math.max(1, Math.floor((height - HEAD) / (size + GAP)));

// counts: pictures of each column. {tracks: how many each gets, isRoomy: whether there is more than the least}
export function share(counts, width, height, size) {
  const first = Math.max(size, FIRST) + OVER;
  const rows = rowsIn(height, size);
  const tracks = counts.map(() => 1);
  let left = width - counts.length * first;
  while (left >= size + GAP) {
    const hidden = counts.map((count, i) => count / (tracks[i] * rows));
    const most = Math.max(...hidden);
    if (!(most > 1)) break;
    tracks[hidden.indexOf(most)]++;
    left -= size + GAP;
  }
  const sum = () => tracks.reduce((all, one) => all + one, 0);
  while (left >= size + GAP && (width - counts.length * OVER) / sum() > STRETCH * size) {
    const each = counts.map((count, i) => count / tracks[i]);
    tracks[each.indexOf(Math.max(...each))]++;
    left -= size + GAP;
  }
  const all = sum();
  return { tracks, isRoomy: left >= 0 && (all > 1.4 * counts.length || counts.every((count, i) => count <= tracks[i] * rows)) };
}

// The same order in some lanes that need about the same width each, with at most so many columns in one, if they fit at all:
// where each lane begins.
export function lanes(counts, many, most, height, size) {
  const needs = counts.map((count) => 1.2 + Math.min(6, Math.ceil(count / rowsIn(height, size))));
  const total = needs.reduce((sum, one) => sum + one, 0);
  const begins = [0];
  let sum = 0;
  needs.forEach((need, i) => {
    const rest = counts.length - i;
    const isPast = sum + need / 2 > (total * begins.length) / many && rest <= most * (many - begins.length);
    const isFull = i - begins.at(-1) >= most;
    if (i && begins.length < many && (isPast || isFull) && rest >= many - begins.length) begins.push(i);
    sum += need;
  });
  return begins;
}

// Lay the columns out anew if anything has changed that decides about them. Moves alone change nothing: nothing may jump.
export function arrange(board) {
  const { strip, size } = board;
  const [width, height] = [strip.clientWidth, strip.clientHeight];
  if (!width || !board.piles.size) return;
  const narrow = isNarrow();
  const piles = [...board.piles.values()];
  for (const pile of piles) pile.hasBeenFull ||= pile.ids.length > 0;
  const closed = narrow ? [] : piles.filter((pile) => !pile.open || (!pile.hasBeenFull && !pile.isWanted));
  const key = narrow ? "narrow" : [width, height, size, closed.map(({ code }) => code)].join();
  if (key === board.arranged) return;
  board.arranged = key;
  const focused = board.shadowRoot.activeElement; // a node that is moved loses its focus, and how far it was scrolled
  lay(board, piles, closed, width, height);
  for (const pile of piles) pile.list.scrollTop = pile.scrolled ?? 0;
  if (focused !== board.shadowRoot.activeElement) focused?.focus({ preventScroll: true });
}

function lay(board, piles, closed, width, height) {
  const { strip, size } = board;
  const narrow = isNarrow();
  for (const pile of piles) {
    pile.isStrip = closed.includes(pile);
    pile.root.classList.toggle("folded", pile.isStrip);
    pile.root.classList.toggle("pinned", !narrow && pile.code === UNSURE && !pile.isStrip);
    pile.title.setAttribute("aria-expanded", !pile.isStrip);
  }
  if (narrow) {
    const seen = board.isLaidNew ? null : strip.children[Math.round(strip.scrollLeft / width)]?.pile;
    strip.replaceChildren(...byFilled(piles).map((pile) => pile.root));
    board.isLaidNew = false;
    strip.scrollLeft = seen?.root.offsetLeft ?? 0;
    return;
  }
  const open = piles.filter((pile) => !pile.isStrip && pile.code !== UNSURE).sort((a, b) => (a.code === NONE) - (b.code === NONE));
  const unsure = board.piles.get(UNSURE);
  const across = Math.ceil(closed.length / Math.max(1, Math.floor(height / NAME)));
  const isShelf = across * STRIP > SHELF;
  board.shelf.classList.toggle("many", isShelf);
  board.shelf.style.setProperty("--down", Math.ceil(closed.length / Math.max(1, across)));
  let rest = width - 12 - (isShelf ? SHELF : across * STRIP);
  if (!unsure.isStrip) {
    const least = (open.length * (Math.max(size, FIRST) + OVER)) / Math.min(LANES, Math.max(1, Math.floor(height / LANE)));
    unsure.tracks = Math.min(rest - least > 3 * size ? 2 : 1, Math.max(1, Math.ceil(unsure.ids.length / rowsIn(height, size))));
    rest -= unsure.tracks * (size + GAP) + OVER;
  }
  const counts = open.map((pile) => pile.ids.length);
  let many = 1;
  const fits = () => share(counts, rest * many, height / many, size).isRoomy;
  while (many < LANES && open.length > 2 * many && height / (many + 1) >= LANE && !fits()) many++;
  const most = Math.max(1, Math.floor(rest / (Math.max(size, FIRST) + OVER)));
  const begins = lanes(counts, many, most, height / many, size);
  const rows = begins.map((begin, i) => open.slice(begin, begins[i + 1] ?? open.length)).filter((row) => row.length);
  board.lanes.replaceChildren(...rows.map((row) => {
    const { tracks } = share(row.map((pile) => pile.ids.length), rest, height / rows.length, size);
    row.forEach((pile, i) => (pile.tracks = tracks[i]));
    const lane = document.createElement("div");
    lane.className = "lane";
    lane.append(...row.map((pile) => pile.root));
    return lane;
  }));
  board.shelf.replaceChildren(...closed.map((pile) => pile.root));
  strip.replaceChildren(...(unsure.isStrip ? [] : [unsure.root]), board.lanes, ...(closed.length ? [board.shelf] : []));
  for (const pile of open.concat(unsure)) {
    pile.root.style.setProperty("--tracks", pile.tracks);
    pile.root.style.setProperty("--least", `${Math.max(size, FIRST) + OVER - 5}px`);
    pile.root.style.setProperty("--pinned", `${unsure.tracks * (size + GAP) + OVER - 5}px`);
  }
}

// On a phone there is one column at a time: first what has pictures, the empty ones last.
function byFilled(piles) {
  const rank = (pile) => (!pile.hasBeenFull ? 3 : pile.code === NONE ? 2 : pile.code === UNSURE ? 1 : 0);
  return [...piles].sort((a, b) => rank(a) - rank(b));
}
