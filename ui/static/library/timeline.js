// The months of what is shown by date: choosing one goes to its first picture.
import { getJSON, make } from "../shared/parts.js";

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

export class Timeline {
  // grid: question, url(path), tiles, attempt(work)
  constructor(grid) {
    this.grid = grid;
    this.root = make("select", { class: "months", hidden: "", "aria-label": "Go to a month", title: "Go to a month", onchange: () => this.go() });
  }
  // Only where the order is that of time.
  get isByDate() {
    const { sort, q, image, picture, album } = this.grid.question;
    return !!sort && !(q || image || picture || album);
  }
  async load() {
    const { question } = this.grid;
    this.root.hidden = !this.isByDate || this.grid.views.isMap;
    if (this.root.hidden) return;
    const months = await this.grid.attempt(() => getJSON(this.grid.url("/api/months")));
    if (!months || question !== this.grid.question) return;
    const option = ([year, month, count, place]) => make("option", { value: place }, `${MONTHS[month - 1]} ${year} (${count.toLocaleString("en")})`);
    this.root.replaceChildren(make("option", { value: "" }, "Go to month"), ...months.map(option));
    this.root.hidden = months.length < 2;
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
