// What is selected in the grid: some ids, or "all that answer the question but these", which needs no ids in the browser.
// The bar shows what can be done with it. The server reads a selection as {ids} or {question, but}.
import { getJSON, make } from "../shared/parts.js";

export class Selection {
  constructor(ids = [], question = null, but = []) {
    this.ids = new Set(ids);
    this.question = question;
    this.but = new Set(but);
  }
  copy() {
    return new Selection(this.ids, this.question, this.but);
  }
  has(id) {
    return this.question ? !this.but.has(id) : this.ids.has(id);
  }
  add(ids) {
    for (const id of ids) this.question ? this.but.delete(id) : this.ids.add(id);
    return this;
  }
  toggle(id) {
    const set = this.question ? this.but : this.ids;
    set.delete(id) || set.add(id);
    return this;
  }
  count(total) {
    return this.question ? Math.max(0, total - this.but.size) : this.ids.size;
  }
  toJSON() {
    return this.question ? { question: this.question, but: [...this.but] } : { ids: [...this.ids] };
  }
}

export const post = (url, body) => getJSON(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
// randomUUID exists only on https and localhost
const token = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// Labels go to the server one step at a time, as this window's own, so that it can take them back; also after a reload.
export class Labels {
  constructor() {
    this.client = `${(sessionStorage.sayso ??= token())}-grid`;
  }
  give(chosen, label, value = 1) {
    return post("/api/label", { client: this.client, op: token(), chosen, label, value });
  }
  undo() {
    return post("/api/label/undo", { client: this.client, op: token() });
  }
}

// grid: all(), clear(), label(name), use(), alike(), compare(); more: what else can be done, nodes
export class Bar {
  constructor(grid, more) {
    const button = (text, onclick, title = "") => make("button", { type: "button", onclick, title }, text);
    this.count = make("strong", { role: "status" });
    this.field = make("input", { "aria-label": "Label for the selected images", placeholder: "Label", list: "labels-known", autocomplete: "off", maxlength: 200 });
    this.known = make("datalist", { id: "labels-known" });
    const label = button("Label", () => grid.label(this.field.value), "L goes to the field");
    this.all = button("", () => grid.all(), "Ctrl+A");
    const form = make("form", { class: "give" }, this.field, this.known, label);
    label.type = "submit";
    label.onclick = null;
    form.onsubmit = (event) => {
      event.preventDefault();
      grid.label(this.field.value);
    };
    this.compare = button("Compare", () => grid.compare(), "The two beside each other");
    const acts = [form, this.compare, button("Classify these", () => grid.use()), button("Find similar", () => grid.alike()), ...more, this.all, button("Clear", () => grid.clear(), "Escape")];
    this.root = make("div", { class: "acts", role: "toolbar", "aria-label": "Selected images", hidden: "" }, this.count, ...acts);
  }
  draw(count, total, labels) {
    this.root.hidden = !count;
    const words = count ? `${count.toLocaleString("en")} selected` : "";
    if (this.count.textContent !== words) this.count.textContent = words;
    this.all.hidden = count >= total;
    this.compare.hidden = count !== 2;
    this.all.textContent = `Select all ${total.toLocaleString("en")}`;
    if (this.labels !== labels) this.known.replaceChildren(...(this.labels = labels).map(([name]) => make("option", { value: name })));
  }
}
