// <sayso-grid src="/api/images?folder=3">: a page of the library or the answer to a search, with more on request.
import { Viewer, empty, getJSON, make, styled, thumbnail } from "./parts.js";

class Grid extends HTMLElement {
  static observedAttributes = ["src"];

  constructor() {
    super();
    const root = styled(this.attachShadow({ mode: "open" }));
    this.body = make("div", { class: "grid" });
    root.append(this.body);
    this.viewer = new Viewer(root, (item) => this.explain(item));
    // Another tab may have added images meanwhile: look again whenever the grid comes back into sight.
    this.sight = new IntersectionObserver(([entry]) => {
      if (entry.isIntersecting && this.hiddenAt && !this.paged && this.from === this.getAttribute("src")) this.load(this.from);
      this.hiddenAt = !entry.isIntersecting && this.offsetParent === null;
    });
  }
  connectedCallback() {
    this.sight.observe(this);
    this.load(this.getAttribute("src"));
  }
  disconnectedCallback() {
    this.sight.disconnect();
  }
  attributeChangedCallback(name, before, src) {
    if (this.isConnected && before !== src) this.load(src);
  }

  async load(src) {
    if (!src) return;
    this.from = src;
    this.paged = false;
    try {
      const page = await getJSON(src);
      if (src !== this.from) return; // a newer question has been asked
      this.images = [];
      this.cards = make("div", { class: "cards wide" });
      this.more = make("button", { type: "button", class: "more", onclick: () => this.next() }, "Show more");
      const back = make("button", { type: "button", class: "link", onclick: () => this.load(this.getAttribute("src")) }, "Back");
      const headline = make("header", { class: "headline" }, make("div", { role: "status" }, make("h2", {}, page.title)));
      if (src !== this.getAttribute("src")) headline.append(back);
      if (!page.images.length) return this.body.replaceChildren(empty("No images yet", "Add a folder above, or the sample photos to try things out."));
      this.body.replaceChildren(headline, this.cards, this.more);
      this.add(page);
    } catch (error) {
      this.body.replaceChildren(make("p", { class: "problem", role: "alert" }, error.message));
    }
  }

  add(page) {
    const start = this.images.length;
    this.images.push(...page.images);
    this.cards.append(...page.images.map((image, index) => this.card(image, start + index)));
    this.after = page.after;
    this.more.hidden = !page.after;
  }

  async next() {
    this.paged = true;
    this.more.disabled = true;
    const url = new URL(this.from, location.href);
    url.searchParams.set("after", this.after);
    try {
      this.add(await getJSON(url));
    } catch (error) {
      this.body.append(make("p", { class: "problem", role: "alert" }, error.message));
    }
    this.more.disabled = false;
  }

  card(image, index) {
    const [, , name, score] = image;
    const card = make("button", { type: "button", class: "card", "aria-label": score === null ? name : `${name}, similarity ${score.toFixed(2)}` }, thumbnail(image), make("span", {}, score === null ? name : score.toFixed(2)));
    card.onclick = () => this.viewer.open(this.images, index);
    return card;
  }

  explain([id, , , score]) {
    const like = make("button", { type: "button", class: "primary" }, "More like this");
    like.onclick = () => {
      this.viewer.dialog.close();
      this.load(`/api/similar?image=${id}`);
    };
    const note = score === null ? [] : [make("p", { class: "note" }, `Cosine similarity ${score.toFixed(3)}. It ranks images for one question; it is no probability.`)];
    return [...note, like];
  }
}

customElements.define("sayso-grid", Grid);
