// <sayso-changes src="URL">: which images change column between two classifiers, grouped by change; also used as a function.
import { Viewer, empty, getJSON, make, many, styled, thumbnail } from "../shared/parts.js";

const DRAWN = 48; // of a group, before it is asked for more

export const UNSURE = -1, NONE = -2; // places beside those of the classes; as in clipcore.classify.answers
export const placeName = (labels, code) => (code === UNSURE ? "Unsure" : code === NONE ? "None of these" : labels[code]);
// The name of a place's colour in board.css; after nine they begin again.
export const colour = (code) => (code === UNSURE ? "cu" : code === NONE ? "cn" : `c${(code % 9) + 1}`);

// answer: {labels, total, of, changes: [[id, content, name, before, after]]}; open(items, index) shows pictures large
export function changeList({ labels, total, of, changes }, open) {
  const groups = new Map();
  for (const item of changes) {
    const words = `${placeName(labels, item[3])} → ${placeName(labels, item[4])}`;
    groups.set(words, [...(groups.get(words) ?? []), item]);
  }
  const rest = total > changes.length ? make("p", { class: "note" }, `The first ${changes.length.toLocaleString("en")} are shown.`) : "";
  return make("div", { class: "changes" }, make("p", {}, `${total.toLocaleString("en")} of ${many(of, "image")} ${total === 1 ? "changes" : "change"} column.`), ...[...groups].map(([words, items]) => group(words, items, open)), rest);
}

function group(words, items, open) {
  const tiles = make("div", { class: "thumbs" });
  const more = make("button", { type: "button", class: "chip" });
  const draw = (count) => {
    const from = tiles.childElementCount;
    items.slice(from, from + count).forEach((item, n) => {
      tiles.append(make("button", { type: "button", class: "thumb", "aria-label": `${item[2]}, ${words}`, onclick: () => open(items, from + n) }, thumbnail(item)));
    });
    more.hidden = tiles.childElementCount === items.length;
    more.textContent = `Show ${(items.length - tiles.childElementCount).toLocaleString("en")} more`;
  };
  more.onclick = () => draw(items.length);
  draw(DRAWN);
  return make("section", { "aria-label": words }, make("h3", {}, words, make("span", { class: "count" }, ` ${items.length.toLocaleString("en")}`)), tiles, more);
}

class Changes extends HTMLElement {
  static observedAttributes = ["src"];

  constructor() {
    super();
    const root = styled(this, "classify/board");
    this.body = make("div");
    root.append(this.body);
    this.viewer = new Viewer(root, ([, , , before, after]) => [make("p", {}, `${placeName(this.labels, before)} → ${placeName(this.labels, after)}`)]);
  }
  connectedCallback() {
    this.load();
  }
  attributeChangedCallback() {
    if (this.isConnected) this.load();
  }
  async load() {
    const src = this.getAttribute("src");
    if (src === this.shown) return;
    this.shown = src;
    if (!src) return this.body.replaceChildren();
    try {
      const answer = await getJSON(src);
      if (src !== this.getAttribute("src")) return; // a later comparison has overtaken this one
      this.labels = answer.labels;
      this.body.replaceChildren(answer.total ? changeList(answer, (items, index) => this.viewer.open(items, index)) : empty("No image changes", "Both put every image of the board into the same column."));
    } catch (error) {
      this.shown = null;
      this.body.replaceChildren(make("p", { class: "problem", role: "alert" }, error.message));
    }
  }
}

customElements.get("sayso-changes") ?? customElements.define("sayso-changes", Changes);
