// The window of the grid: as many images as answer the question, of which only those in sight are drawn and only their pages
// are fetched. The scroll bar is exact, and a place in the middle of 100,000 is as near as the first.
import { make, thumbnail } from "../shared/parts.js";

const PAGE = 120; // images in an answer of the server
const KEPT = 60; // pages that stay in memory
const GAP = 3; // pixels; as in grid.css
const SIZES = { min: 80, max: 260, step: 4, usual: 140, phone: 104 }; // pixels of a tile at least
const MORE = 2; // rows drawn beyond the window
const SETTLED = 40; // milliseconds after which a place that is scrolled to is fetched

const same = (one, other) => String(one) === String(other);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export class Tiles {
  total = 0;
  pages = new Map(); // number -> images
  stale = new Set(); // numbers of pages that are shown until they have been fetched anew
  loading = new Map(); // number -> promise
  drawn = new Map(); // index -> node
  current = -1; // index
  edition = 0;

  // host: fetchPage(number) -> promise of an answer, describe(image) -> [caption, label], has(id), failed(error),
  // pick(event, index, isCheck), band(low, high, picks, isLast)
  constructor(host) {
    this.host = host;
    this.rows = make("div", { class: "tiles", role: "presentation" });
    this.room = make("div", { class: "room", role: "presentation" }, this.rows);
    this.list = make("div", { class: "window", role: "listbox", "aria-label": "Images", "aria-multiselectable": true, tabindex: 0 }, this.room);
    this.list.onscroll = () => this.draw();
    this.list.onpointerdown = (event) => this.press(event);
    this.list.onclick = (event) => {
      const tile = event.target.closest(".card");
      if (tile && !this.banding) host.pick(event, Number(tile.dataset.index), !!event.target.closest(".check"));
    };
    new ResizeObserver(() => this.draw()).observe(this.list);
    this.size = clamp(Number(localStorage.saysoGridTile) || SIZES.usual, SIZES.min, SIZES.max);
    const { min, max, step } = SIZES;
    this.slider = make("input", { type: "range", min, max, step, value: this.size, "aria-label": "Picture size", title: "Picture size", oninput: () => this.resize(Number(this.slider.value)) });
  }
  // The image at the top stays there.
  resize(size) {
    const first = Math.floor(this.list.scrollTop / this.high) * this.across;
    this.size = localStorage.saysoGridTile = size;
    this.measure();
    this.room.style.height = `${Math.ceil(this.total / this.across) * this.high}px`;
    this.list.scrollTop = Math.floor(first / this.across) * this.high;
    this.draw();
  }

  // the images

  // A new question with its first answer; or, with `keep`, the same one asked again: what is in sight stays until it is known
  // to differ, so that nothing flickers. Returns whether the current image has moved to another place, and follows it.
  fill(answer, keep) {
    this.edition++;
    const current = this.at(this.current)?.[0];
    const inSight = new Set([...this.drawn.keys()].map((index) => Math.floor(index / PAGE)));
    const kept = keep ? [...this.pages].filter(([number]) => number && inSight.has(number)) : [];
    this.pages = new Map([[0, answer.images], ...kept]);
    this.stale = new Set(kept.map(([number]) => number));
    this.loading = new Map();
    this.total = answer.total;
    if (!keep) {
      for (const index of this.drawn.keys()) this.drop(index);
      this.current = -1;
      this.list.scrollTop = 0;
    }
    this.draw();
    const [now] = this.at(this.current) ?? [];
    const hasMoved = keep && current !== undefined && now !== undefined && now !== current;
    if (hasMoved) this.current = this.indexOf(current);
    return hasMoved;
  }
  at(index) {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }
  // The image in a place, fetched if need be; undefined beyond the end.
  async get(index) {
    if (index < 0 || index >= this.total) return undefined;
    if (!this.at(index)) await this.fetch(Math.floor(index / PAGE));
    return this.at(index);
  }
  fetch(number) {
    const edition = this.edition;
    const work = this.loading.get(number) ?? this.host.fetchPage(number).then((answer) => {
      if (edition !== this.edition) return;
      this.pages.set(number, answer.images);
      this.stale.delete(number);
      this.total = answer.total;
      if (this.pages.size > KEPT) this.forget(number);
      this.draw();
    }, this.host.failed).finally(() => edition === this.edition && this.loading.delete(number));
    this.loading.set(number, work);
    return work;
  }
  forget(near) {
    const far = [...this.pages.keys()].sort((a, b) => Math.abs(b - near) - Math.abs(a - near));
    for (const number of far.slice(0, this.pages.size - KEPT)) this.pages.delete(number);
  }
  indexOf(id) {
    for (const [number, images] of this.pages) {
      const place = images.findIndex((image) => image[0] === id);
      if (place >= 0) return number * PAGE + place;
    }
    return -1;
  }

  // drawing

  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.paint();
    });
  }
  measure() {
    const width = this.room.clientWidth;
    const least = width < 480 ? Math.min(SIZES.phone, this.size) : this.size;
    this.across = Math.max(1, Math.floor((width + GAP) / (least + GAP)));
    this.cell = (width - GAP * (this.across - 1)) / this.across;
    this.high = this.cell + GAP;
    return width > 0;
  }
  paint() {
    if (!this.measure()) return; // not in sight
    const { across, high, list } = this;
    const lines = Math.ceil(this.total / across);
    this.room.style.height = `${Math.max(0, lines * high - GAP)}px`;
    const top = Math.max(0, Math.floor(list.scrollTop / high) - MORE);
    const last = Math.min(this.total, Math.ceil((list.scrollTop + list.clientHeight) / high + MORE) * across);
    const shown = [];
    const missing = new Set();
    for (let index = top * across; index < last; index++) {
      const number = Math.floor(index / PAGE);
      if (!this.at(index) || this.stale.has(number)) missing.add(number);
      shown.push(this.node(index));
    }
    for (const index of this.drawn.keys()) if (index < top * across || index >= last) this.drop(index);
    const { children } = this.rows;
    if (children.length !== shown.length || shown.some((node, n) => children[n] !== node)) this.rows.replaceChildren(...shown);
    this.rows.style.cssText = `top:${top * high}px;grid-template-columns:repeat(${across},1fr);--cell:${this.cell}px`;
    for (const [index, node] of this.drawn) this.mark(index, node);
    if (this.isWanted) this.drawn.get(this.current)?.scrollIntoView({ block: "nearest" });
    this.isWanted = false;
    list.setAttribute("aria-activedescendant", this.drawn.has(this.current) ? `card-${this.current}` : "");
    clearTimeout(this.settling);
    if (missing.size) this.settling = setTimeout(() => missing.forEach((number) => (this.stale.has(number) || !this.pages.has(number)) && this.fetch(number)), SETTLED);
  }
  node(index) {
    const image = this.at(index);
    let node = this.drawn.get(index);
    if (node && node.image === image) return node;
    const [caption, label] = image ? this.host.describe(image) : ["", "Loading"];
    if (image && node?.image && same(image, node.image) && node.ariaLabel === label) {
      node.image = image;
      return node;
    }
    if (node) this.drop(index);
    node = make("div", { id: `card-${index}`, class: `card${image?.[3] == null ? "" : " scored"}`, role: "option", "aria-label": label, "aria-posinset": index + 1, "data-index": index });
    if (image) node.append(thumbnail(image), make("i", { class: "check", "aria-hidden": true }), make("span", {}, caption));
    else node.append(make("img", { src: "data:,", alt: "" }), make("span"));
    node.firstChild.draggable = false;
    node.image = image;
    this.drawn.set(index, node);
    return node;
  }
  mark(index, node) {
    node.setAttribute("aria-setsize", this.total);
    node.setAttribute("aria-selected", !!node.image && this.host.has(node.image[0]));
    node.classList.toggle("current", index === this.current);
  }
  // An empty picture stops a download that nobody waits for; taking src away would leak the node in Chromium.
  drop(index) {
    this.drawn.get(index).firstChild.src = "data:,";
    this.drawn.delete(index);
  }

  // where the person is

  go(index) {
    this.current = clamp(index, 0, this.total - 1);
    this.reveal(this.current);
    this.isWanted = true; // also where the window itself is partly out of sight
    this.draw();
  }
  reveal(index) {
    if (!this.measure()) return;
    const { list, high } = this;
    const top = Math.floor(index / this.across) * high;
    list.scrollTop = clamp(list.scrollTop, top + high - list.clientHeight, top);
  }
  // The place that an arrow or page key leads to; undefined for other keys.
  step(key) {
    const page = this.across * Math.max(1, Math.floor(this.list.clientHeight / this.high));
    const jump = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.across, ArrowDown: this.across, PageUp: -page, PageDown: page, Home: -this.total, End: this.total }[key];
    if (!jump) return undefined;
    const from = this.current < 0 && key !== "End" ? -jump : this.current; // the first key goes to the first image
    return clamp(from + jump, 0, this.total - 1);
  }

  // A press that moves is a rubber band. Which tiles it meets is arithmetic; the page is not asked.
  press(event) {
    const { list, room } = this;
    if (event.pointerType !== "mouse" || event.button || event.offsetX > list.clientWidth) return;
    const point = (at) => {
      const frame = room.getBoundingClientRect();
      return [at.clientX - frame.left, at.clientY - frame.top];
    };
    const [x0, y0] = point(event);
    const box = make("div", { class: "band" });
    let last = event;
    const stretch = (isLast) => {
      const [x, y] = point(last);
      const [left, up, wide, tall] = [Math.min(x, x0), Math.min(y, y0), Math.abs(x - x0), Math.abs(y - y0)];
      if (!box.isConnected && wide + tall < 8) return;
      if (!box.isConnected) {
        list.setPointerCapture(event.pointerId);
        room.append(box);
        this.banding = true; // the click at its end picks nothing
      }
      box.style.cssText = `left:${left}px;top:${up}px;width:${wide}px;height:${tall}px`;
      const { across, high, cell } = this;
      const [first, end] = [Math.floor(up / high), Math.floor((up + tall) / high)];
      const meets = (index) => {
        const x = (index % across) * (cell + GAP), y = Math.floor(index / across) * high;
        return x < left + wide && x + cell > left && y < up + tall && y + high - GAP > up;
      };
      this.host.band(clamp(first * across, 0, this.total), clamp((end + 1) * across, 0, this.total), meets, isLast);
    };
    const roll = setInterval(() => {
      const frame = list.getBoundingClientRect();
      const beyond = last.clientY > frame.bottom - 12 ? last.clientY - frame.bottom + 24 : last.clientY < frame.top + 12 ? last.clientY - frame.top - 24 : 0;
      if (!this.banding || !beyond) return;
      list.scrollTop += beyond;
      stretch();
    }, 30);
    const end = new AbortController();
    const stop = () => {
      end.abort();
      clearInterval(roll);
      if (this.banding) stretch(true);
      box.remove();
      setTimeout(() => (this.banding = false));
    };
    list.addEventListener("pointermove", (at) => { last = at; stretch(); }, end);
    list.addEventListener("pointerup", stop, end);
    list.addEventListener("pointercancel", stop, end);
  }
}
