// What the grid is asked: words in the top bar, a folder and filters in the rail, the order above the pictures. Together their
// values are the question.
import { make, many } from "../shared/parts.js";
import { Watch } from "./watch.js";

const option = (value, text) => make("option", { value }, text);
const FILTERS = ["name", "since", "until", "label", "stars", "place", "orientation"];

export class Form {
  // grid: submit(), forget(folder, name)
  constructor(grid) {
    this.grid = grid;
    const text = (extra) => make("input", { autocomplete: "off", ...extra });
    const list = (...options) => make("select", { onchange: () => grid.submit() }, ...options);
    this.fields = {
      q: text({ type: "search", placeholder: "a dog on a beach", title: 'Words, or a sum of them: 2*dog + beach - "red car"', "aria-label": "Search by words", enterkeyhint: "search", maxlength: 300 }),
      folder: list(option("", "All folders")),
      name: text({ placeholder: "IMG_20", onkeydown: (event) => void (event.key === "Enter" && grid.submit()) }),
      since: text({ type: "date", onchange: () => grid.submit() }),
      until: text({ type: "date", onchange: () => grid.submit() }),
      label: list(option("", "Any, or none")),
      place: text({ placeholder: "Rome, or Italy", title: "Where the camera's GPS says that an image was taken", onkeydown: (event) => void (event.key === "Enter" && grid.submit()) }),
      orientation: list(...["", "landscape", "portrait", "square"].map((name) => option(name, name ? name[0].toUpperCase() + name.slice(1) : "Any"))),
      stars: list(option("", "Any"), ...[5, 4, 3, 2, 1].map((stars) => option(stars, stars < 5 ? `${"★".repeat(stars)} and up` : "★★★★★"))),
      sort: list(option("", "Best match"), option("newest", "Newest first"), option("oldest", "Oldest first")),
    };
    const field = (name, words) => {
      this.fields[name].id = `by-${name}`;
      return make("div", { class: `field ${name}` }, make("label", { for: `by-${name}` }, words), this.fields[name]);
    };
    this.forget = make("button", { type: "button", hidden: "", onclick: () => grid.forget(...this.folder()) }, "Forget this folder");
    this.toggle = make("button", { type: "button", class: "link", "aria-expanded": false, onclick: () => this.open(this.more.hidden) }, "Filter");
    this.none = make("button", { type: "button", class: "link", hidden: "", onclick: () => this.clear() }, "Clear the filters");
    const find = make("button", { type: "submit", class: "primary" }, "Search");
    const filters = [field("name", "File name contains"), field("since", "From day"), field("until", "To day"), field("label", "Label"), field("stars", "Rating"), field("place", "Taken at"), field("orientation", "Orientation")];
    this.more = make("div", { class: "fields", hidden: "" }, ...filters);
    const form = (attributes, ...parts) => make("form", { ...attributes, onsubmit: (event) => { event.preventDefault(); grid.submit(); } }, ...parts);
    this.search = form({ class: "search", role: "search" }, this.fields.q, find);
    this.watch = new Watch(grid, () => this.folder());
    this.where = form({ class: "where" }, field("folder", "In"), this.forget, this.watch.root, make("p", { class: "links" }, this.toggle, this.none), this.more);
    this.fields.sort.ariaLabel = this.fields.sort.title = "Sort by";
  }
  // Whether somebody is typing a question.
  get isInUse() {
    return [this.search, this.where].some((form) => form.matches(":focus-within"));
  }
  values() {
    const all = Object.entries(this.fields).map(([name, field]) => [name, field.value.trim()]);
    return Object.fromEntries(all.filter(([, value]) => value));
  }
  set(values) {
    for (const [name, value] of Object.entries(values)) this.fields[name].value = value;
    this.drawn();
  }
  clear() {
    this.set(Object.fromEntries([...FILTERS, "folder"].map((name) => [name, ""])));
    this.grid.submit();
  }
  open(open) {
    this.more.hidden = !open;
    this.toggle.setAttribute("aria-expanded", open);
  }
  drawn() {
    const set = FILTERS.filter((name) => this.fields[name].value).length;
    this.toggle.textContent = set ? `Filter (${set} on)` : "Filter";
    this.none.hidden = !set;
    this.fields.sort.options[0].textContent = this.fields.q.value.trim() || this.grid.isLike ? "Best match" : "As added";
    this.forget.hidden = !this.fields.folder.value;
    this.watch.draw();
  }
  folder() {
    const { folder } = this.fields;
    return [folder.value, folder.selectedOptions[0].textContent];
  }
  // What there is to choose from; what is chosen stays if it is there still.
  offer({ total, folders, labels, ...watching }) {
    const fill = (field, first, rows) => {
      const { value } = field;
      field.replaceChildren(first, ...rows);
      field.value = rows.some((row) => row.value === value) ? value : "";
    };
    fill(this.fields.folder, option("", `All folders (${total.toLocaleString("en")})`), folders.map(([id, name, images]) => option(String(id), `${name} (${images.toLocaleString("en")})`)));
    fill(this.fields.label, option("", "Any, or none"), labels.map(([name, images]) => option(name, `${name} (${many(images, "image")})`)));
    this.watch.offer(watching);
    this.drawn();
  }
}
