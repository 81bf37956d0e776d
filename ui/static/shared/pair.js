// Two pictures beside each other, zoomed and moved together: which of them is sharper, and are they the same?
import { make } from "./parts.js";
import { Zoom } from "./zoom.js";

export class Pair {
  constructor(root) {
    this.panes = [0, 1].map(() => {
      const image = make("img", { alt: "" });
      const stage = make("div", { class: "stage" }, image);
      return { image, stage, zoom: new Zoom(stage, image), name: make("figcaption", { class: "place" }) };
    });
    const [first, second] = this.panes.map(({ zoom }) => zoom);
    first.onchange = () => second.follow(first);
    second.onchange = () => first.follow(second);
    const button = (text, words, onclick) => make("button", { type: "button", "aria-label": words, title: words, onclick }, text);
    const buttons = [button("−", "Smaller", () => first.by(1 / 1.5)), button("+", "Larger", () => first.by(1.5)), button("Close", "Close", () => this.dialog.close())];
    const bar = make("div", { class: "bar" }, make("h2", { class: "place" }, "Two pictures"), ...buttons);
    this.dialog = make("dialog", { class: "viewer pair", "aria-label": "Two pictures" }, bar, ...this.panes.map(({ stage, name }) => make("figure", {}, stage, name)));
    this.dialog.onkeydown = (event) => first.key(event.key);
    root.append(this.dialog);
  }
  // items: two of [id, content, name]; words: what is said below each
  open(items, words = items.map(([, , name]) => name)) {
    items.forEach(([id, content, name], i) => {
      const { image, name: caption } = this.panes[i];
      Object.assign(image, { src: `/preview/${id}/${content}.webp`, alt: name });
      caption.textContent = words[i];
    });
    this.dialog.showModal();
    this.panes[0].zoom.reset();
  }
}
