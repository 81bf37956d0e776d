// <sayso-board run="ID">: the answer to one classification, a column per class.
// A custom element with a shadow root: Gradio cannot patch what is inside, and every listener goes with the element.
import { Viewer, bars, empty, getJSON, make, many, percent, styled, thumbnail } from "./parts.js";

const FIRST = 60; // cards drawn in a column before it is asked for more

class Board extends HTMLElement {
  static observedAttributes = ["run"];

  constructor() {
    super();
    const root = styled(this.attachShadow({ mode: "open" }));
    this.body = make("div", { class: "board" });
    root.append(this.body);
    this.viewer = new Viewer(root, (item) => this.explain(item));
  }
  connectedCallback() {
    this.load();
  }
  attributeChangedCallback() {
    if (this.isConnected) this.load();
  }

  async load() {
    const run = this.getAttribute("run");
    if (run === this.shown) return;
    this.shown = run;
    if (!run) {
      const words = "Type class names, drop images or choose a folder, and choose Classify. Or try the sample photos.";
      return this.body.replaceChildren(empty("Nothing sorted yet", words));
    }
    try {
      const answer = await getJSON(`/api/runs/${encodeURIComponent(run)}`);
      if (run === this.getAttribute("run")) this.draw(answer, run); // a later run may have overtaken this one
    } catch (error) {
      this.shown = null;
      this.body.replaceChildren(make("p", { class: "problem", role: "alert" }, error.message));
    }
  }

  draw(answer, run) {
    this.answer = answer;
    const columns = new Map(answer.labels.map((label, index) => [index, []]));
    for (const image of answer.images) columns.get(image[3][0][0]).push(image);
    // Surest first: the doubtful ones of a class then lie together at its end.
    for (const images of columns.values()) images.sort((a, b) => b[3][0][1] - a[3][0][1]);
    const filled = [...columns].filter(([, images]) => images.length);
    const bare = [...columns].filter(([, images]) => !images.length).map(([index]) => answer.labels[index]);
    this.body.replaceChildren(
      this.headline(answer, run, filled.length),
      make("div", { class: "columns" }, ...filled.map(([index, images]) => this.column(answer.labels[index], images))),
    );
    if (bare.length) this.body.append(make("p", { class: "note" }, `No images in: ${bare.slice(0, 30).join(", ")}${bare.length > 30 ? " …" : ""}`));
    if (answer.skipped.length) this.body.append(this.skipped(answer.skipped));
  }

  headline(answer, run, filled) {
    const words = `${many(answer.images.length, "image")} in ${filled} of ${many(answer.labels.length, "class").replace("classs", "classes")}`;
    const link = (name, text) => make("a", { href: `/api/runs/${run}/${name}`, download: name }, text);
    return make(
      "header",
      { class: "headline" },
      make("div", { role: "status" }, make("h2", {}, words)),
      make("nav", { "aria-label": "Downloads" }, link("labels.csv", "CSV"), link("labels.json", "JSON"), link("classifier.safetensors", "Classifier file")),
    );
  }

  column(label, images) {
    const cards = make("div", { class: "cards" });
    const section = make("section", { class: "column", "aria-label": label }, make("header", {}, make("h3", { title: label }, label), make("span", { class: "count" }, images.length.toLocaleString("en"))), cards);
    const more = make("button", { type: "button", class: "more" });
    const drawn = () => cards.childElementCount;
    const draw = (count) => {
      cards.append(...images.slice(drawn(), drawn() + count).map((image, index) => this.card(image, images)));
      more.hidden = drawn() === images.length;
      more.textContent = `Show ${Math.min(FIRST * 4, images.length - drawn())} more`;
    };
    more.onclick = () => draw(FIRST * 4);
    draw(FIRST);
    section.append(more);
    return section;
  }

  card(image, images) {
    const [, , name, top] = image;
    const share = percent(top[0][1]);
    const card = make("button", { type: "button", class: "card", "aria-label": `${name}, ${this.answer.labels[top[0][0]]}, ${share}` }, thumbnail(image), make("span", {}, share));
    card.onclick = () => this.viewer.open(images, images.indexOf(image));
    return card;
  }

  explain([, , , top]) {
    const { labels, exclusive, model, prompts } = this.answer;
    const rows = top.map(([index, share]) => [labels[index], share]);
    const margin = rows.length > 1 ? ` It leads by ${percent(rows[0][1] - rows[1][1])}.` : "";
    const what = exclusive ? `Share among your labels, not a probability.${margin}` : "Each label scored on its own.";
    return [bars(rows, what), make("p", { class: "note" }, `${model} · prompts: ${prompts}`)];
  }

  skipped(files) {
    const rows = files.map(([name, reason]) => make("li", {}, make("b", {}, name.split(/[\\/]/).pop()), ` ${reason}`));
    return make("details", { class: "skipped", open: "" }, make("summary", {}, `${many(files.length, "file")} skipped`), make("ul", {}, ...rows));
  }
}

customElements.define("sayso-board", Board);
