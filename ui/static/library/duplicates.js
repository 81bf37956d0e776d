// <sayso-duplicates src="/api/duplicates/7">: groups of the same picture, and groups of similar pictures, side by side.
import { Viewer, getJSON, make, many, styled, thumbnail } from "../shared/parts.js";

const FIRST = 20; // groups drawn at once
const KINDS = [
  ["same", "The same picture", "The same file at several places, or the same pixels resaved or resized."],
  ["similar", "Similar pictures", "Alike for the model. Each is compared with the first of its group."],
];

class Duplicates extends HTMLElement {
  static observedAttributes = ["src"];

  constructor() {
    super();
    const root = styled(this);
    this.body = make("div", { class: "kinds" });
    root.append(this.body);
    this.viewer = new Viewer(root, ([, , , path, size]) => [make("p", { class: "note" }, path), make("p", { class: "note" }, `${size} pixels`)]);
  }
  connectedCallback() {
    this.load(this.getAttribute("src"));
  }
  attributeChangedCallback(name, before, src) {
    if (this.isConnected && before !== src) this.load(src);
  }

  async load(src) {
    if (!src) return;
    try {
      const found = await getJSON(src);
      if (src === this.getAttribute("src")) this.body.replaceChildren(...KINDS.map((kind) => this.kind(found, ...kind)));
    } catch (error) {
      this.body.replaceChildren(make("p", { class: "problem", role: "alert" }, error.message));
    }
  }

  kind(found, name, title, words) {
    const { groups, total } = found[name];
    const more = make("button", { type: "button", class: "more", onclick: () => draw() }, "Show more groups");
    const section = make("section", {}, make("h3", {}, `${title}: ${total ? many(total, "group") : "none"}`), make("p", { class: "note" }, words), more);
    const drawn = () => section.querySelectorAll(".group").length;
    const draw = () => {
      more.before(...groups.slice(drawn(), drawn() + FIRST).map((group) => this.group(group)));
      more.hidden = drawn() >= groups.length;
    };
    draw();
    return section;
  }

  group(images) {
    const card = (image, index) => {
      const open = () => this.viewer.open(images, index);
      return make("button", { type: "button", class: "card", "aria-label": image[2], onclick: open }, thumbnail(image), make("span", {}, image[2]));
    };
    return make("div", { class: "group", role: "group", "aria-label": many(images.length, "picture") }, ...images.map(card));
  }
}

customElements.define("sayso-duplicates", Duplicates);
