// What the board and the grid share: making elements, fetching, thumbnails, and the viewer for one picture.
import { open } from "./frame.js";
import { Zoom } from "./zoom.js";

// Strings become text nodes and attributes, never HTML: class names and file names come from anywhere.
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node[name] = value;
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export const percent = (share) => (share >= 0.9995 ? "100 %" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`);
export const many = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

// As `moment` in ui/progress.py.
const CLOCK = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
export const moment = (when) => CLOCK.format(new Date(when));

export async function getJSON(url, options = {}) {
  const response = await fetch(url, { ...options, headers: { Accept: "application/json", ...options.headers } });
  const answer = await response.json().catch(() => ({ error: "The server did not answer; is Sayso still running?" }));
  if (!response.ok) {
    const words = typeof answer.detail === "string" ? answer.detail : "The server did not understand the request.";
    throw Object.assign(new Error(answer.error || words), { status: response.status });
  }
  return answer;
}

export function thumbnail([id, content, name], src = `/thumb/${id}/${content}.webp`) {
  return make("img", { src, alt: "", loading: "lazy", decoding: "async", title: name });
}

// An element's shadow root with its style sheets. Nothing is seen before these are there: an icon without a size fills a page.
export function styled(element, ...sheets) {
  const root = element.attachShadow({ mode: "open" });
  const links = ["shared/parts", ...sheets].map((name) => make("link", { rel: "stylesheet", href: `/elements/${name}.css` }));
  const hold = make("style", {}, ":host { visibility: hidden }");
  root.append(hold, ...links);
  const there = links.map((link) => new Promise((done) => (link.onload = link.onerror = done)));
  Promise.all(there).then(() => hold.remove());
  return root;
}

const ICON = {
  picture: "M3 6a2 2 0 0 1 2-2h14a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z M9 11.5a1.75 1.75 0 1 0 0-3.5a1.75 1.75 0 0 0 0 3.5z M4 18l6-5l4 3l3-2l4 3",
};

export function empty(title, words, heading = "h2") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICON.picture);
  svg.append(path);
  return make("div", { class: "empty" }, svg, make(heading, {}, title), make("p", {}, words));
}

// A bar for each label. Where the truth is known, what is right is green, and the answer that is not is orange; words say so too.
export function bars(rows, title, truth = null) {
  const list = make("ol", { class: "bars" });
  rows.forEach(([label, share], at) => {
    const fill = make("i");
    fill.style.width = `${Math.max(0.5, 100 * share)}%`;
    const kind = !truth?.length ? "" : truth.includes(label) ? "right" : at ? "" : "wrong";
    const mark = kind ? make("small", {}, kind) : "";
    list.append(
      make("li", kind ? { class: kind } : {}, make("span", { class: "label" }, label, " ", mark), make("span", { class: "share" }, percent(share)), make("span", { class: "track" }, fill)),
    );
  });
  return make("figure", {}, make("figcaption", {}, title), list);
}

// One picture, large, in a <dialog>: Escape closes it, the arrow keys go to its neighbours.
export class Viewer {
  constructor(root, describe, address = ([id, content]) => `/preview/${id}/${content}.webp`) {
    Object.assign(this, { describe, address });
    this.image = make("img", { alt: "" });
    this.side = make("div", { class: "side" });
    const close = make("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => this.dialog.close() }, "Close");
    const back = make("button", { type: "button", "aria-label": "Previous picture", onclick: () => this.step(-1) }, "Previous");
    const on = make("button", { type: "button", "aria-label": "Next picture", onclick: () => this.step(1) }, "Next");
    this.place = make("span", { class: "place" });
    const stage = make("div", { class: "stage" }, this.image);
    this.zoom = new Zoom(stage, this.image);
    const larger = make("button", { type: "button", "aria-label": "Larger", title: "Larger (+, or the wheel)", onclick: () => this.zoom.by(1.5) }, "+");
    const smaller = make("button", { type: "button", "aria-label": "Smaller", title: "Smaller (-)", onclick: () => this.zoom.by(1 / 1.5) }, "−");
    const bar = make("div", { class: "bar" }, back, on, this.place, smaller, larger, close);
    this.dialog = make("dialog", { class: "viewer", "aria-label": "Picture" }, bar, stage, this.side);
    this.dialog.onkeydown = (event) => {
      if (event.key === "ArrowLeft") this.step(-1);
      else if (event.key === "ArrowRight") this.step(1);
      else if (!event.composedPath()[0].matches("input, select")) this.zoom.key(event.key);
    };
    this.dialog.onclick = (event) => {
      if (event.target === this.dialog) this.dialog.close(); // a click beside it; in it, false would stop links and forms
    };
    root.append(this.dialog);
  }
  open(items, index) {
    this.items = items;
    this.show(index);
    this.dialog.showModal();
  }
  step(by) {
    this.show((this.index + by + this.items.length) % this.items.length);
  }
  show(index) {
    this.index = index;
    const item = this.items[index];
    const [, , name] = item;
    this.image.src = this.address(item);
    this.image.alt = name;
    this.zoom.reset();
    this.place.textContent = `${index + 1} of ${this.items.length}`;
    this.side.replaceChildren(make("h2", {}, name), ...this.describe(item));
  }
}

// An element that shows what the address in its attribute `src` answers; `heading` and `words` are shown while there is none.
export class Fetched extends HTMLElement {
  static observedAttributes = ["src"];

  constructor(...styles) {
    super();
    this.root = styled(this, ...styles);
    this.body = make("div", { class: "report" });
    this.root.append(this.body);
  }
  connectedCallback() {
    this.load(this.getAttribute("src"));
  }
  attributeChangedCallback(name, before, src) {
    if (this.isConnected && before !== src) this.load(src);
  }
  async load(src) {
    if (!src) return this.nothing();
    try {
      const report = await getJSON(src);
      if (src === this.getAttribute("src")) this.draw(report, src);
    } catch (error) {
      this.body.replaceChildren(make("p", { class: "problem", role: "alert" }, error.message));
    }
  }
  // On a phone, where the panel is a sheet, with the button that opens it.
  nothing() {
    const node = empty(this.getAttribute("heading"), this.getAttribute("words"));
    node.append(make("button", { type: "button", class: "primary sets-up", onclick: (event) => (event.stopPropagation(), open("rail")) }, "Choose what to measure"));
    this.body.replaceChildren(node);
  }
}
