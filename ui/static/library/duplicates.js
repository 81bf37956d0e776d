// <sayso-duplicates src="/api/duplicates/7">: groups of the same picture, and groups of similar pictures, side by side.
import { Viewer, getJSON, make, many, styled, thumbnail } from "../shared/parts.js";
import { post } from "./selection.js";

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
    this.status = make("p", { class: "note", role: "status" });
    root.append(this.status, this.body);
    this.viewer = new Viewer(root, ([, , , path, size]) => [make("p", { class: "note" }, path), make("p", { class: "note" }, `${size} pixels`)]);
  }
  connectedCallback() {
    this.load(this.getAttribute("src"));
  }
  attributeChangedCallback(name, before, src) {
    if (this.isConnected && before !== src) this.load(src);
  }

  async load(src) {
    this.before();
    if (!src) return;
    try {
      const found = await getJSON(src);
      if (src !== this.getAttribute("src")) return;
      this.body.replaceChildren(...KINDS.map((kind) => this.kind(found, ...kind)));
      this.toggleAttribute("filled", KINDS.some(([name]) => found[name].total)); // the panel is wide while it shows pictures to compare
    } catch (error) {
      this.body.replaceChildren(make("p", { class: "problem", role: "alert" }, error.message));
    }
  }

  kind(found, name, title, words) {
    const { groups, total } = found[name];
    const more = make("button", { type: "button", class: "more", onclick: () => draw() }, "Show more groups");
    const section = make("section", {}, make("h2", {}, `${title}: ${total ? many(total, "group") : "none"}`), make("p", { class: "note" }, words), more);
    const drawn = () => section.querySelectorAll(".group").length;
    const draw = () => {
      more.before(...groups.slice(drawn(), drawn() + FIRST).map((group) => this.group(group)));
      more.hidden = drawn() >= groups.length;
    };
    draw();
    return section;
  }

  group(images) {
    const best = images.reduce((one, other) => (other[5] > one[5] ? other : one));
    const card = (image, index) => {
      const open = () => this.viewer.open(images, index);
      const words = image === best ? `Best: ${image[4]}` : image[4];
      return make("button", { type: "button", class: "card", "aria-label": `${image[2]}, ${words}`, onclick: open }, thumbnail(image), make("span", {}, image[2]), make("span", { class: "size" }, words));
    };
    const others = images.filter((image) => image !== best);
    const button = (text, title, work) => make("button", { type: "button", class: "more", title, onclick: () => this.attempt(() => work(node)) }, text);
    const acts = make(
      "div",
      { class: "chips" },
      button("Keep the best", `Keep ${best[2]}, and move ${many(others.length, "file")} out of the way`, (node) => this.keep(node, best, others)),
      button("Not duplicates", "They are not shown together again", (node) => this.apart(node, images)),
    );
    const node = make("div", {}, make("div", { class: "group", role: "group", "aria-label": many(images.length, "picture") }, ...images.map(card)), acts);
    return node;
  }

  // what is done with a group; each can be taken back

  async keep(node, best, others) {
    const ids = others.map(([id]) => id);
    const { name, moved, failed, folder } = await post("/api/aside", { keep: best[0], others: ids });
    node.hidden = !failed.length;
    const left = failed.length ? ` ${failed[0][1]}` : "";
    this.say(`${many(moved, "file")} moved to ${folder}.${left}`, () => this.back(name, node));
  }
  async back(name, node) {
    const { moved, failed } = await post("/api/aside/back", { name });
    if (node) node.hidden = false;
    this.say(failed.length ? failed[0][1] : `${many(moved, "file")} moved back.`);
  }
  async apart(node, images) {
    const ids = images.map(([id]) => id);
    await post("/api/duplicates/apart", { ids });
    node.hidden = true;
    this.say("These are not shown together again.", async () => {
      await post("/api/duplicates/apart", { ids, apart: false });
      node.hidden = false;
      this.say("Taken back.");
    });
  }
  // What was set aside before, also in another window.
  async before() {
    const [last] = await getJSON("/api/aside").catch(() => []);
    if (last && !this.status.textContent) this.say(`${many(last.files, "file")} were set aside last.`, () => this.back(last.name), "Put back");
  }
  say(words, undo, undoes = "Undo") {
    const button = undo ? [" ", make("button", { type: "button", class: "link", onclick: () => this.attempt(undo) }, undoes)] : [];
    this.status.replaceChildren(words, ...button);
  }
  async attempt(work) {
    try {
      await work();
      document.querySelector("sayso-grid")?.refresh();
    } catch (error) {
      this.say(error.message);
    }
  }
}

customElements.define("sayso-duplicates", Duplicates);
