// <sayso-classes>: the class names as rows, the face of the text field above them, which stays what counts. On a board that is
// sorted a change is made in place, so that its labels and what they taught stay.
import { add, callAlso, merge, move, read, remove, rename, synonyms, write } from "./classes.js";
import { colour } from "./changes.js";
import { make, styled } from "../shared/parts.js";
import { token } from "./steps.js";

const DRAWN = 100; // rows at first; the text field has them all
const field = () => document.querySelector("#labels textarea");
const board = () => document.querySelector("sayso-board");
const button = (text, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, text);

class Classes extends HTMLElement {
  list = [];

  constructor() {
    super();
    const root = styled(this, "classify/board", "classify/class_rows");
    this.rows = make("ul", { class: "classes", "aria-label": "Classes" });
    this.more = button("", () => this.draw(Infinity), { class: "link" });
    this.field = make("textarea", { rows: 1, placeholder: "Add a class, or paste a list", "aria-label": "Add classes" });
    // void: a handler that returns false takes the key from the field
    this.field.onkeydown = (event) => void (event.key === "Enter" && !event.shiftKey && (event.preventDefault(), this.added()));
    this.field.onpaste = (event) => void (/[\n,;\t]/.test(event.clipboardData.getData("text").trim()) && setTimeout(() => this.added()));
    this.status = make("p", { class: "note", role: "status" });
    this.menu = make("div", { popover: "", role: "dialog", class: "menu" });
    this.whole = make("div", { class: "whole", hidden: "" }, this.rows, this.more, this.field, this.status, this.menu);
    root.append(this.whole);
    this.rows.addEventListener("dragover", (event) => this.over(event));
    this.rows.addEventListener("drop", (event) => this.dropped(event));
  }
  connectedCallback() {
    this.ends = new AbortController();
    const { signal } = this.ends;
    document.addEventListener("sayso-fields", ({ detail }) => this.read(detail.names ?? ""), { signal });
    document.addEventListener("sayso-counts", ({ detail }) => this.count(detail), { signal });
    document.addEventListener("input", ({ target }) => target === field() && this.read(target.value), { signal });
    // The text is whole while it is written, and until the click that ends the writing has hit what it was meant for.
    document.addEventListener("focusin", ({ target }) => target === field() && this.toggleAttribute("writing", true), { signal });
    document.addEventListener("focusout", ({ target }) => target === field() && !this.isPressed && this.removeAttribute("writing"), { signal });
    this.toggleAttribute("writing", document.activeElement === field()); // someone was quicker than this script
    const pressed = (isPressed) => () => {
      this.isPressed = isPressed;
      if (!isPressed) setTimeout(() => this.toggleAttribute("writing", document.activeElement === field())); // after its click
    };
    for (const [name, is] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false]]) document.addEventListener(name, pressed(is), { signal, capture: true });
    this.read(field()?.value ?? "");
    this.count(board()?.counts ?? null);
  }
  disconnectedCallback() {
    this.ends.abort();
  }

  // what is shown

  read(text) {
    if (text === this.text) return;
    this.text = text;
    const list = read(text);
    const isNew = JSON.stringify(list) !== JSON.stringify(this.list);
    this.list = list;
    this.toggleAttribute("filled", list.length > 0);
    this.whole.hidden = !list.length && !this.status.textContent;
    if (text !== this.own) this.say(""); // it spoke of a list that is no more
    if (isNew) this.draw();
  }
  draw(most = Math.max(DRAWN, this.rows.childElementCount)) {
    const shown = this.list.slice(0, most);
    this.rows.replaceChildren(...shown.map((one, at) => this.row(one, at)));
    this.more.hidden = shown.length === this.list.length;
    this.more.textContent = `Show all ${this.list.length.toLocaleString("en")}`;
    this.count();
  }
  row({ name, others }, at) {
    const input = make("input", { value: name, "aria-label": `Name of class ${at + 1}, ${name}`, autocomplete: "off", spellcheck: "false" });
    input.onkeydown = (event) => this.key(event, at, input);
    input.onchange = () => this.renamed(at, input);
    const grip = make("span", { class: "grip", draggable: "true", title: "Drag to order (Alt+Up, Alt+Down)", "aria-hidden": "true" });
    grip.ondragstart = (event) => {
      this.dragging = at;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setDragImage(grip.parentNode, 8, 16);
      event.dataTransfer.setData("text/plain", name);
    };
    grip.ondragend = () => this.mark((this.dragging = null));
    const also = others.length ? make("small", { title: others.join(", ") }, `+${others.length}`) : "";
    const more = button("", (event) => this.open(at, event.currentTarget), { class: "dots", "aria-label": `More for ${name}`, "aria-haspopup": "dialog", title: "Rename, other names, merge, remove" });
    const row = make("li", {}, grip, make("i"), input, also, make("span", { class: "count" }), more);
    row.style.setProperty("--c", `var(--${colour(at)})`);
    return row;
  }
  // How many pictures are in each class, by name; null while nothing is sorted.
  count(counts = this.counts) {
    this.counts = counts;
    [...this.rows.children].forEach((row, at) => {
      const { name } = this.list[at];
      const known = counts && name in counts;
      const [cell] = row.getElementsByClassName("count");
      cell.textContent = !counts ? "" : known ? counts[name].toLocaleString("en") : "new";
      cell.title = counts && !known ? "Not on the board yet" : "";
    });
  }
  say(words, undo) {
    this.status.replaceChildren(words, ...(undo ? [" ", button("Undo", undo, { class: "link" })] : []));
  }

  // what the person does

  key(event, at, input) {
    const by = event.altKey && { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.key === "Enter") this.renamed(at, input).then((done) => done && this.focusRow(at));
    else if (event.key === "Escape") input.value = this.list[at].name;
    else if (by) this.moved(at, at + by);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  async moved(at, to) {
    await this.apply(move(this.list, at, to));
    if (to in this.list) this.focusRow(to);
  }
  focusRow(at) {
    this.rows.children[at]?.querySelector("input").focus();
  }
  async renamed(at, input) {
    if (input.value.trim() === this.list[at]?.name || this.isBusy) return;
    const done = await this.apply(rename(this.list, at, input.value));
    if (!done && input.isConnected) input.value = this.list[at].name;
    return done;
  }
  async added() {
    if (!this.field.value.trim()) return;
    const done = await this.apply(add(this.list, this.field.value));
    if (!done) return;
    this.field.value = "";
    this.field.focus();
  }
  over(event) {
    if (this.dragging === null || this.dragging === undefined) return;
    event.preventDefault();
    this.mark(event.target.closest?.("li"));
  }
  mark(row) {
    for (const other of this.rows.children) other.classList.toggle("over", other === row);
  }
  dropped(event) {
    const to = [...this.rows.children].indexOf(event.target.closest?.("li"));
    const at = this.dragging;
    this.mark((this.dragging = null));
    if (at === null || to < 0) return;
    event.preventDefault();
    this.apply(move(this.list, at, to));
  }
  open(at, opener) {
    const { name, others } = this.list[at];
    const close = () => this.menu.hidePopover();
    const act = (change) => (close(), this.apply(change()));
    const also = make("input", { value: others.join(" | "), placeholder: "puppy | hound", "aria-label": `Other names of ${name}`, autocomplete: "off" });
    also.onkeydown = (event) => void (event.key === "Enter" && act(() => callAlso(this.list, at, also.value)));
    const rest = this.list.map((one, i) => [one.name, i]).filter(([, i]) => i !== at);
    const into = make("select", { "aria-label": `Class to merge ${name} into` }, ...rest.map(([other, i]) => make("option", { value: i }, other)));
    this.menu.setAttribute("aria-label", name);
    this.menu.replaceChildren(
      make("div", { class: "part" }, "Other names, with | between them", make("span", { class: "line" }, also, button("Keep", () => act(() => callAlso(this.list, at, also.value))))),
      ...(rest.length ? [make("div", { class: "part" }, "Merge into", make("span", { class: "line" }, into, button("Merge", () => act(() => merge(this.list, at, Number(into.value))))))] : []),
      make("div", { class: "line" }, button("Rename", () => (close(), this.focusRow(at))), button("Up", () => (close(), this.moved(at, at - 1)), { "aria-label": "Move up" }), button("Down", () => (close(), this.moved(at, at + 1)), { "aria-label": "Move down" }), button("Remove", () => act(() => remove(this.list, at)))),
    );
    this.menu.showPopover({ source: opener });
    const { bottom, right } = opener.getBoundingClientRect();
    const { width, height } = this.menu.getBoundingClientRect();
    Object.assign(this.menu.style, { left: `${Math.max(8, right - width)}px`, top: `${Math.max(8, Math.min(bottom + 2, innerHeight - height - 8))}px` });
    also.focus();
  }

  // A change, on the board first: what it refuses is not written into the field either. Says whether it is done.
  async apply(change) {
    if (!change || this.isBusy) return false;
    if (change.refused) return this.say(change.refused), false;
    const [before, text] = [this.text, write(change.list, this.text)];
    const at = board();
    const isSorted = Boolean(at?.run && at.labels && change.list.length);
    this.isBusy = true;
    this.toggleAttribute("busy", true);
    try {
      if (isSorted) await this.onBoard(at, "classes", this.asked(at, change));
      const edition = isSorted && at.steps.epoch;
      this.put(text);
      this.say(change.words, () => this.undo(before, at, isSorted, edition));
      return true;
    } catch (error) {
      this.say(error.message);
      return false;
    } finally {
      this.isBusy = false;
      this.removeAttribute("busy");
    }
  }
  asked(at, { list, renamed = {} }) {
    const own = Object.fromEntries(Object.entries(renamed).filter(([old]) => at.labels.includes(old)));
    return { op: token(), client: at.steps.client, names: list.map(({ name }) => name), renamed: own, synonyms: synonyms(list) };
  }
  async onBoard(at, path, body) {
    at.isChanging = true; // what its polls hear meanwhile is no news
    try {
      await at.steps.queue; // labels that are on their way are of the old names
      await at.steps.post(path, body);
      await at.load();
    } finally {
      at.isChanging = false;
    }
  }
  async undo(before, at, isSorted, edition) {
    if (isSorted && at.steps?.epoch !== edition) return this.say("The board has changed since then, so this cannot be undone.");
    try {
      if (isSorted) await this.onBoard(at, "lesson/undo");
      this.put(before);
      this.say("Undone.");
    } catch (error) {
      this.say(error.message);
    }
  }
  put(text) {
    this.own = text;
    const input = field();
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

customElements.get("sayso-classes") ?? customElements.define("sayso-classes", Classes);
