// <sayso-names>: what to know about the class names in the field above it, live; <sayso-nearest>: the images that are nearest
// to each class, before anything is classified. Both read the fields of the page; their attribute says that those changed.
import { getJSON, make, styled, thumbnail, Viewer } from "../shared/parts.js";
import { names, plain, quoted } from "../shared/typed.js";

const WAIT = 500; // ms after the last key
const AGAIN = 2000; // ms while the model loads
const SHOWN = 4; // pieces of advice at first; more would make no one read
const FIRST_CLASSES = 12;
const field = (name) => document.querySelector(`#${name} textarea, #${name} input`);
const ANSWERED = "sayso-names-answered";

function about(name) {
  return class extends HTMLElement {
    static observedAttributes = ["state"];
    constructor() {
      super();
      this.root = styled(this, "classify/names");
      this.body = make("div", { class: name });
      this.root.append(this.body);
    }
  };
}

class Names extends about("advice") {
  attributeChangedCallback() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), WAIT);
  }
  connectedCallback() {
    this.attributeChangedCallback();
  }
  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  async ask() {
    const asked = { labels: field("labels")?.value ?? "", templates: field("templates")?.value ?? "{label}" };
    const key = JSON.stringify(asked);
    if (key === this.asked) return;
    this.asked = key;
    let answer = { advice: [], notice: "", nearest: [] };
    try {
      if (asked.labels.trim()) {
        answer = await getJSON("/api/names", { method: "POST", headers: { "Content-Type": "application/json" }, body: key });
      }
    } catch {
      this.asked = null; // what is wrong with the fields is said beside them
    }
    if (this.asked !== null && this.asked !== key) return; // something newer was typed
    if (answer.loading) {
      this.asked = null;
      this.timer = setTimeout(() => this.ask(), AGAIN);
    }
    this.draw(answer);
    document.dispatchEvent(new CustomEvent(ANSWERED, { detail: answer.nearest }));
  }

  draw({ advice, notice }) {
    const items = advice.map((one) => make("li", {}, one.sentence, ...this.picks(one)));
    if (notice) {
      const bias = () => [...document.querySelectorAll("#tabs [role=tab]")].find((tab) => tab.textContent.trim() === "Bias")?.click();
      items.unshift(make("li", {}, `${notice} `, make("button", { type: "button", class: "link", onclick: bias }, "Open the Bias tab")));
    }
    for (const item of items.slice(SHOWN)) item.hidden = true;
    const list = make("div", { role: "status" }, make("ul", { class: "list", role: "list", "aria-label": "About these names" }, ...items));
    const all = make("button", { type: "button", class: "link", onclick: () => { for (const item of items) item.hidden = false; all.remove(); } }, `Show ${items.length - SHOWN} more`);
    this.body.replaceChildren(...(items.length ? [list] : []), ...(items.length > SHOWN ? [all] : []));
  }

  // Names to write instead: one click puts one into the field.
  picks({ labels, suggestions }) {
    if (!suggestions.length) return [];
    const pick = (name) => make("button", { type: "button", class: "chip", onclick: () => this.replace(labels[0], name) }, name);
    return [make("span", { class: "picks", role: "group", "aria-label": `Instead of ${labels[0]}` }, ...suggestions.map(pick))];
  }

  replace(label, name) {
    const input = field("labels");
    const text = plain(input.value);
    const place = names(text).find((one) => one.name === label);
    if (place) {
      const own = text.slice(place.start, place.end);
      input.value = text.slice(0, place.start) + own.replace(own.trim(), () => quoted(name)) + text.slice(place.end);
    }
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.focus();
  }
}

class Nearest extends about("nearest") {
  constructor() {
    super();
    this.viewer = new Viewer(this.root, () => []);
    this.draw = ({ detail }) => this.show(detail);
  }
  connectedCallback() {
    document.addEventListener(ANSWERED, this.draw);
    // A look before anything is sorted; once there is a board it only takes room.
    this.watch = new MutationObserver(() => this.sorted() && this.fold());
    const board = document.querySelector("#board");
    if (board) this.watch.observe(board, { subtree: true, childList: true, attributeFilter: ["run"] });
  }
  disconnectedCallback() {
    document.removeEventListener(ANSWERED, this.draw);
    this.watch.disconnect();
  }
  sorted() {
    return Boolean(document.querySelector("sayso-board")?.getAttribute("run"));
  }
  fold() {
    const details = this.body.querySelector("details");
    if (details) details.open = false;
  }

  show(classes) {
    const before = this.body.querySelector("details");
    if (!classes.length) return this.body.replaceChildren();
    const card = (images, image, i) => make("button", { type: "button", class: "small", "aria-label": image[2], onclick: () => this.viewer.open(images, i) }, thumbnail(image));
    const row = ([label, images, judges]) => make("figure", { class: judges ? "blurred" : null }, make("figcaption", { title: label }, label), make("div", { class: "strip" }, ...images.map((image, i) => card(images, image, i))));
    const rows = classes.map(row);
    for (const one of rows.slice(FIRST_CLASSES)) one.hidden = true;
    const rest = rows.length - FIRST_CLASSES;
    const more = make("button", { type: "button", class: "link", onclick: () => { for (const one of rows) one.hidden = false; more.remove(); } }, `Show ${rest} more`);
    const words = "What the model takes each name for: the images that are nearest to it.";
    const details = make("details", { class: "block" }, make("summary", {}, "Nearest images of each class"), make("p", { class: "note" }, words), make("div", { class: "rows" }, ...rows), ...(rest > 0 ? [more] : []));
    details.open = before ? before.open : !this.sorted();
    this.body.replaceChildren(details);
  }
}

customElements.define("sayso-names", Names);
customElements.define("sayso-nearest", Nearest);
