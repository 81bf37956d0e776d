// The months of what is shown by date: choosing one, in a list or on a strip beside the pictures, goes to its first picture.
import { getJSON, make } from "../shared/parts.js";

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

const LEAST = 4; // per cent of the strip between two years

export class Timeline {
  // grid: question, url(path), tiles, attempt(work)
  constructor(grid) {
    this.grid = grid;
    // what the list does, for a mouse or a finger; keys and screen readers have the list
    this.strip = make("div", { class: "scrubber", hidden: "", "aria-hidden": "true" });
    this.bubble = make("b", { hidden: "" });
    this.mark = make("i");
    this.strip.onpointerdown = (event) => {
      event.preventDefault();
      this.strip.setPointerCapture(event.pointerId);
      this.slide(event, true);
    };
    this.strip.onpointermove = (event) => this.slide(event, event.buttons > 0);
    this.strip.onpointerup = this.strip.onpointerleave = () => (this.bubble.hidden = true);
    grid.tiles.list.addEventListener("scroll", () => this.follow(), { passive: true });
    this.root = make("select", { class: "months", hidden: "", "aria-label": "Go to a month", title: "Go to a month", onchange: () => this.go() });
  }
  // Only where the order is that of time.
  get isByDate() {
    const { sort, q, image, picture, album } = this.grid.question;
    return !!sort && !(q || image || picture || album);
  }
  async load() {
    const { question } = this.grid;
    this.hide(!this.isByDate || this.grid.views.isMap);
    if (this.root.hidden) return;
    const months = await this.grid.attempt(() => getJSON(this.grid.url("/api/months")));
    if (!months || question !== this.grid.question) return;
    const option = ([year, month, count, place]) => make("option", { value: place }, `${MONTHS[month - 1]} ${year} (${count.toLocaleString("en")})`);
    this.root.replaceChildren(make("option", { value: "" }, "Go to month"), ...months.map(option));
    this.months = months;
    this.hide(months.length < 2);
    this.draw();
  }
  hide(isHidden) {
    this.root.hidden = this.strip.hidden = isHidden;
    this.grid.tiles.list.classList.toggle("dated", !isHidden);
  }
  // A year stands where its first picture is; those too close to the one before are left out.
  draw() {
    const { total } = this.grid.tiles;
    let last = -LEAST;
    const years = this.months.flatMap(([year, , , place], at) => {
      const top = (100 * place) / total;
      if ((at && this.months[at - 1][0] === year) || top < last + LEAST || top > 100 - LEAST) return [];
      last = top;
      const mark = make("span", {}, year);
      mark.style.top = `${top}%`;
      return [mark];
    });
    const ticks = this.months.map(([, , , place]) => {
      const tick = make("u");
      tick.style.top = `${(100 * place) / total}%`;
      return tick;
    });
    this.strip.replaceChildren(...ticks, ...years, this.mark, this.bubble);
    this.follow();
  }
  // Where the grid is.
  follow() {
    const { list } = this.grid.tiles;
    if (!this.strip.hidden) this.mark.style.top = `${(100 * list.scrollTop) / Math.max(1, list.scrollHeight)}%`;
  }
  slide(event, goes) {
    const { top, height } = this.strip.getBoundingClientRect();
    const share = Math.min(Math.max((event.clientY - top) / height, 0), 0.999);
    const { tiles } = this.grid;
    const [year, month] = this.months.findLast(([, , , place]) => place <= share * tiles.total) ?? this.months[0];
    this.bubble.textContent = `${MONTHS[month - 1]} ${year}`;
    this.bubble.style.top = `${100 * share}%`;
    this.bubble.hidden = false;
    if (goes) tiles.list.scrollTop = Math.floor((share * tiles.total) / tiles.across) * tiles.high;
  }
  go() {
    if (this.root.value === "") return;
    const { tiles } = this.grid;
    const place = Number(this.root.value);
    tiles.go(place);
    tiles.list.scrollTop = Math.floor(place / tiles.across) * tiles.high;
    tiles.list.focus({ preventScroll: true });
    this.root.value = "";
  }
}
