// The label sets of a session: one is on the page, the others are a click away; over the same pictures each has its own
// classes, prompts, dial, labels and what was taught. Made by <sayso-sessions>, below its own line.
import { getJSON, make } from "../shared/parts.js";

// Downloads of all sets at once, for whoever draws the others; empty while there is one set only.
export const allSets = make("span", { class: "all-sets" });

export class LabelSets {
  // `asks` gives: session(), settle(), go(id, words), say(words, ...ways), attempt(work), restore(session)
  constructor(asks) {
    this.asks = asks;
    const field = (label, placeholder) => make("input", { maxlength: 200, autocomplete: "off", "aria-label": label, placeholder });
    const button = (text, onclick) => make("button", { type: "button", onclick }, text);
    this.own = field("Name of the label set");
    this.name = field("Name of the new label set", "such as place");
    this.first = field("Name of the set that is here", "such as kind");
    this.own.onkeydown = (event) => void (event.key === "Enter" && this.rename());
    this.name.onkeydown = this.first.onkeydown = (event) => void (event.key === "Enter" && this.add());
    const about = make("p", { class: "about" }, "Sort the same images by something else, too. Each set has classes of its own.");
    this.called = make("label", {}, "The set that is here", this.first);
    this.adder = make("div", { id: "set-adder", popover: "", role: "dialog", "aria-label": "Add a label set" }, about, this.called, make("label", {}, "The new set", this.name), make("div", { class: "own" }, button("Add", () => this.add())));
    this.changer = make("div", { id: "set-changer", popover: "", role: "dialog", "aria-label": "This label set" }, make("div", { class: "own" }, this.own, button("Rename", () => this.rename()), button("Remove", () => this.remove())));
    for (const sheet of [this.adder, this.changer]) sheet.addEventListener("toggle", (event) => event.newState === "open" && this.opened(sheet));
    this.row = make("div", { class: "sets", role: "group", "aria-label": "Label sets" });
    this.root = make("div", {}, this.row, this.adder, this.changer);
  }
  draw(sets) {
    const { id } = this.asks.session();
    const key = JSON.stringify([id, sets]);
    if (key === this.drawn) return;
    Object.assign(this, { sets, drawn: key });
    const several = sets.length > 1;
    const chip = (set) => make("button", { type: "button", class: "chip", "aria-pressed": String(set.id === id), onclick: () => set.id !== id && this.asks.go(set.id) }, set.name);
    const opens = (target, text, label, kind) => make("button", { type: "button", class: kind, popovertarget: target, "aria-haspopup": "dialog", "aria-label": label, title: label }, text);
    const change = several ? [opens("set-changer", "Change", "Rename or remove this label set", "link")] : [];
    this.row.replaceChildren(...(several ? sets.map(chip) : []), opens("set-adder", several ? "+" : "Add a label set", "Add a label set", several ? "chip" : "link"), ...change);
    const link = (name, text) => make("a", { href: `/api/sessions/${id}/sets/${name}`, download: name }, text);
    allSets.replaceChildren(...(several && sets.some(({ sorted }) => sorted) ? [link("labels.csv", "All label sets, CSV"), link("labels.json", "All label sets, JSON")] : []));
  }
  opened(sheet) {
    const { bottom, left } = this.row.getBoundingClientRect();
    Object.assign(sheet.style, { top: `${bottom + 4}px`, left: `${Math.max(8, left)}px` });
    this.called.hidden = this.sets.length > 1;
    this.own.value = this.sets.find(({ id }) => id === this.asks.session().id)?.name ?? "";
    [this.name.value, this.first.value] = ["", ""];
    (sheet === this.changer ? this.own : this.called.hidden ? this.name : this.first).focus();
  }
  close() {
    for (const sheet of [this.adder, this.changer]) if (sheet.matches(":popover-open")) sheet.hidePopover();
  }
  add() {
    return this.asks.attempt(async () => {
      await this.asks.settle();
      const made = await this.post("", { name: this.name.value, first: this.first.value });
      this.close();
      await this.asks.go(made.id, "Type the classes of the new set. The images are the same.");
    });
  }
  rename() {
    return this.asks.attempt(async () => {
      await this.post("/name", { name: this.own.value });
      this.close();
      await this.again();
    });
  }
  remove() {
    const gone = this.asks.session();
    return this.asks.attempt(async () => {
      await this.asks.settle();
      const name = this.sets.find(({ id }) => id === gone.id)?.name;
      const left = await this.post("/remove");
      this.close();
      await this.asks.go(left.id);
      this.asks.say(`The label set “${name}” is removed; its labels stay.`, ["Undo", () => this.asks.restore(gone)]);
    });
  }
  async again() {
    this.draw((await getJSON(`/api/sessions/${this.asks.session().id}`)).sets);
  }
  post(what, body = {}) {
    return getJSON(`/api/sessions/${this.asks.session().id}/sets${what}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  }
}
