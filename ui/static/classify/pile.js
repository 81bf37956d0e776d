// A column of the board: a header and a list of which only the rows in the window are drawn. Reading (measure) and writing
// (draw) are apart, so that the board can read all columns before it writes to any: one layout and not one for each.
import { make } from "../shared/parts.js";
import { GAP, PAD, isNarrow } from "./arrange.js";
import { colour } from "./changes.js";

const PHONE = 104; // pixels of a tile at least on a phone
const MORE = 2; // rows drawn beyond the window

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const put = (node, name, value) => node.getAttribute(name) !== String(value) && node.setAttribute(name, value);

export class Pile {
  ids = [];
  drawn = new Map(); // id -> its tile
  inView = false; // sideways
  tracks = 1; // tiles beside each other
  isWanted = false; // opened by hand though it is empty

  // the board gives: tile(id, code), fold(pile), select(ids, mode, pile), need(pile, share), draw(), and its selected and current
  constructor(board, code, name) {
    Object.assign(this, { board, code, name });
    this.key = make("kbd");
    this.count = make("span", { class: "count" });
    this.title = make("button", { type: "button", class: "title", title: name, onclick: () => board.fold(this, !this.isStrip) }, this.key, make("span", { class: "name" }, board.levels.short(name)), this.count);
    this.all = make("button", { type: "button", class: "all", "aria-label": `Select all in ${name}`, onclick: () => board.select(this.ids, "", this) }, "All");
    this.field = make("input", { type: "number", min: 1, max: 99, step: 1, "aria-label": `How sure it must be of ${name}, in %` });
    this.needed = make("label", { class: "needed", hidden: "" }, "from ", this.field, " %");
    this.field.onchange = () => this.field.reportValidity() && this.field.value && board.need(this, this.field.value / 100);
    this.rows = make("div", { class: "rows", role: "presentation" });
    this.list = make("div", { class: "list", role: "listbox", "aria-multiselectable": true, "aria-label": name, tabindex: 0 }, this.rows);
    this.root = make("section", { class: "pile", "aria-label": name }, make("header", {}, this.title, this.all), this.needed, this.list);
    this.root.pile = this;
    this.root.style.setProperty("--c", `var(--${colour(code)})`);
    this.list.onscroll = () => {
      this.scrolled = this.list.scrollTop;
      board.draw();
    };
    this.list.onpointerdown = (event) => this.band(event);
  }
  need(share) {
    this.needed.hidden = share === undefined;
    if (share !== undefined) this.field.value = Math.round(100 * share);
  }
  get width() {
    return this.list.clientWidth - 2 * PAD + GAP;
  }
  get across() {
    return isNarrow() ? Math.max(1, Math.floor(this.width / (Math.max(PHONE, this.board.size) + GAP))) : this.tracks;
  }
  // A tile with its gap: it fills its track.
  get cell() {
    return this.width / this.across;
  }
  get page() {
    return this.across * Math.max(1, Math.floor(this.list.clientHeight / this.cell));
  }
  reveal(id) {
    const { cell, across, list } = this;
    const top = Math.floor(this.ids.indexOf(id) / across) * cell;
    list.scrollTop = clamp(list.scrollTop, top + cell + 2 * PAD - list.clientHeight, top);
  }
  measure() {
    const { cell, across, list } = this;
    this.size = !this.isStrip && this.inView && cell > GAP ? [across, Math.floor(list.scrollTop / cell), Math.ceil(list.clientHeight / cell), cell] : null;
  }
  draw() {
    const { board, rows, list } = this;
    const [across, top, high, cell] = this.size ?? [1, 0, 0, 0];
    const first = Math.max(0, top - MORE) * across;
    const shown = high ? this.ids.slice(first, (top + high + MORE) * across) : [];
    const drawn = new Map(shown.map((id) => [id, this.drawn.get(id) ?? board.tile(id, this.code)]));
    if (shown.length !== this.drawn.size || shown.some((id, n) => rows.children[n] !== drawn.get(id))) rows.replaceChildren(...drawn.values());
    // An empty picture stops a download that nobody waits for. Taking src away would, too, but Chromium then keeps the node.
    for (const [id, node] of this.drawn) if (!drawn.has(id)) node.firstChild.src = "data:,";
    this.drawn = drawn;
    const preview = board.preview?.get(this.code);
    const count = (preview ?? this.ids.length).toLocaleString("en");
    if (this.count.textContent !== count) this.count.textContent = count;
    this.count.classList.toggle("preview", preview !== undefined && preview !== this.ids.length);
    this.all.disabled = !this.ids.length;
    put(list, "aria-activedescendant", drawn.has(board.current) ? `tile-${this.code}-${board.current}` : "");
    if (!high) return;
    put(rows, "style", `height:${Math.ceil(this.ids.length / across) * cell}px;padding-top:${(first / across) * cell}px;--across:${across};--cell:${cell - GAP}px`);
    shown.forEach((id, n) => {
      const node = drawn.get(id);
      board.figure(node, id);
      put(node, "aria-selected", board.selected.has(id));
      put(node, "aria-setsize", this.ids.length);
      put(node, "aria-posinset", first + n + 1);
      const { said } = board.cards.get(id);
      put(node, "class", `tile${id === board.current ? " current" : ""}${said === null ? "" : " said"}`);
      put(node, "aria-label", board.describe(id));
    });
  }

  // A rubber band, from beside the tiles or with shift from anywhere. Which tiles it meets is arithmetic; the page is not asked.
  band(event) {
    const { board, list, across, cell, ids } = this;
    if (event.pointerType !== "mouse" || event.button || (event.target.closest(".tile") && !event.shiftKey)) return;
    if (event.target === list && event.offsetX > list.clientWidth) return; // the scroll bar
    const frame = list.getBoundingClientRect();
    const kept = event.ctrlKey || event.metaKey ? [...board.selected] : [];
    const point = (at) => [at.clientX - frame.left - PAD, at.clientY - frame.top + list.scrollTop - PAD];
    const [x0, y0] = point(event);
    const box = make("div", { class: "band" });
    const meets = (place, start, length) => place * cell < start + length && (place + 1) * cell > start;
    const stretch = (at) => {
      const [x, y] = point(at);
      const [left, top, wide, high] = [Math.min(x, x0), Math.min(y, y0), Math.abs(x - x0), Math.abs(y - y0)];
      if (!box.isConnected && wide + high < 6) return;
      if (!box.isConnected) {
        list.setPointerCapture(at.pointerId);
        list.append(box);
        board.banding = true; // the click at its end selects nothing
      }
      box.style.cssText = `left:${left + PAD}px;top:${top + PAD}px;width:${wide}px;height:${high}px`;
      const met = ids.filter((id, n) => meets(n % across, left, wide) && meets(Math.floor(n / across), top, high));
      board.select([...new Set([...kept, ...met])], "", this);
      list.scrollTop += at.clientY > frame.bottom ? 20 : at.clientY < frame.top ? -20 : 0;
    };
    const end = new AbortController();
    const stop = () => {
      end.abort();
      box.remove();
      setTimeout(() => (board.banding = false));
    };
    list.addEventListener("pointermove", stretch, end);
    list.addEventListener("pointerup", stop, end);
    list.addEventListener("pointercancel", stop, end);
  }
}
