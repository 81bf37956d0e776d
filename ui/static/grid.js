// <sayso-grid src="/api/images?folder=3">: a page of the library or the answer to a search, with more on request.
// A picture to search with, pasted, chosen or one of the library, joins whatever the page asks for until it is taken away.
import { Viewer, empty, getJSON, make, percent, styled, thumbnail } from "./parts.js";

let like = null; // {key: "image" | "picture", value, show, name}; outside of the element, which the page may make anew

class Grid extends HTMLElement {
  static observedAttributes = ["src"];

  constructor() {
    super();
    const root = styled(this.attachShadow({ mode: "open" }));
    this.tools = make("div", { class: "tools" });
    this.body = make("div", { class: "grid" });
    root.append(this.tools, this.body);
    this.viewer = new Viewer(root, (item) => this.explain(item));
    // Another tab may have added images meanwhile: look again whenever the grid comes back into sight.
    this.sight = new IntersectionObserver(([entry]) => {
      if (entry.isIntersecting && this.hiddenAt && !this.paged) this.load(this.from);
      this.hiddenAt = !entry.isIntersecting && this.offsetParent === null;
    });
    this.pasted = (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith("image/"));
      if (file && this.offsetParent) this.take(file);
    };
  }
  connectedCallback() {
    this.sight.observe(this);
    document.addEventListener("paste", this.pasted);
    this.load(this.getAttribute("src"));
  }
  disconnectedCallback() {
    this.sight.disconnect();
    document.removeEventListener("paste", this.pasted);
  }
  attributeChangedCallback(name, before, src) {
    if (this.isConnected && before !== src) this.load(src);
  }

  // what is asked: the page's address, with the picture if there is one

  address(src) {
    const url = new URL(src, location.href);
    if (like) {
      url.pathname = "/api/search";
      url.searchParams.set(like.key, like.value);
    }
    return url;
  }

  // The same question with something changed; every filter stays.
  ask(changes) {
    const url = new URL(this.from, location.href);
    url.pathname = "/api/search";
    for (const [name, value] of Object.entries(changes)) url.searchParams.set(name, value);
    this.load(url.pathname + url.search);
  }

  join(picture) {
    like = picture;
    this.load(this.getAttribute("src"));
  }

  // A picture of the library alone: words of the search before would only confuse.
  alike(picture) {
    like = picture;
    const src = this.getAttribute("src");
    if (new URL(src, location.href).searchParams.has("q")) this.search("");
    else this.load(src);
  }

  async take(file) {
    try {
      const answer = await getJSON("/api/pictures", { method: "POST", body: file, headers: { "Content-Type": file.type || "image/*" } });
      this.join({ key: "picture", value: answer.picture, show: URL.createObjectURL(file), name: file.name });
    } catch (error) {
      this.problem(error);
    }
  }

  showTools() {
    if (like) {
      const away = make("button", { type: "button", class: "link", onclick: () => this.join(null) }, "Remove");
      const words = make("span", {}, `Searching with ${like.name}; add words above to steer it.`);
      return this.tools.replaceChildren(make("div", { class: "like" }, make("img", { src: like.show, alt: "" }), words, away));
    }
    const input = make("input", { type: "file", accept: "image/*", hidden: "", "aria-label": "Picture to search with" });
    input.onchange = () => input.files[0] && this.take(input.files[0]);
    const choose = make("button", { type: "button", class: "link", onclick: () => input.click() }, "Search with a picture");
    this.tools.replaceChildren(make("div", { class: "like" }, choose, make("span", {}, "choose one, or paste it here"), input));
  }

  // the answer

  async load(src) {
    if (!src) return;
    this.from = src;
    this.paged = false;
    this.showTools();
    const url = this.address(src);
    try {
      const page = await getJSON(url);
      if (src !== this.from || url.href !== this.address(src).href) return; // a newer question has been asked
      this.show(page, url);
    } catch (error) {
      if (src === this.from) this.problem(error, true);
    }
  }

  show(page, url) {
    this.images = [];
    this.cards = make("div", { class: "cards wide" });
    this.more = make("button", { type: "button", class: "more", onclick: () => this.next() }, "Show more");
    if (page.clear === false && !page.images.length) return this.body.replaceChildren(this.nothing(page));
    if (!page.images.length) {
      const filtered = url.search !== "";
      const words = filtered ? "Change the folder, the filters or the words." : "Add a folder above, or the sample photos to try things out.";
      return this.body.replaceChildren(empty(filtered ? "No images here" : "No images yet", words));
    }
    const note = page.note ? [make("p", { class: "note" }, page.note)] : [];
    const headline = make("header", { class: "headline" }, make("div", { role: "status" }, make("h2", {}, page.title), ...note));
    const back = make("button", { type: "button", class: "link", onclick: () => this.load(this.getAttribute("src")) }, "Back");
    if (this.from !== this.getAttribute("src")) headline.append(back);
    this.rest = make("button", { type: "button", class: "more", onclick: () => this.ask({ everything: true }) }, "Show the closest that do not match, too");
    this.judged = page.clear === true && !url.searchParams.has("everything");
    this.body.replaceChildren(headline, this.cards, this.more, this.rest);
    this.add(page);
  }

  nothing(page) {
    const words = page.suggestions.map((text) => make("button", { type: "button", class: "chip", onclick: () => this.search(text) }, text));
    const anyway = make("button", { type: "button", class: "primary", onclick: () => this.ask({ everything: true }) }, "Show the closest anyway");
    const box = empty(page.title, "Try other or broader words. What is here looks more like this:");
    box.setAttribute("role", "status");
    box.append(make("div", { class: "chips" }, ...words), anyway);
    return box;
  }

  // Type into the page's own field and press its button, so that field and answer never differ.
  search(words) {
    const box = document.querySelector("#words textarea, #words input");
    box.value = words;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(() => document.querySelector("#find").click(), 50);
  }

  add(page) {
    const start = this.images.length;
    this.images.push(...page.images);
    this.cards.append(...page.images.map((image, index) => this.card(image, start + index)));
    this.after = page.next;
    this.key = page.key;
    this.more.hidden = page.next === null;
    this.rest.hidden = !(this.judged && this.more.hidden);
  }

  async next() {
    const { cards, from } = this;
    this.paged = true;
    this.more.disabled = true;
    const url = this.address(from);
    url.searchParams.set(this.key, this.after);
    try {
      const page = await getJSON(url);
      if (cards === this.cards) this.add(page); // else a newer question has been asked
    } catch (error) {
      this.problem(error);
    }
    this.more.disabled = false;
  }

  problem(error, alone) {
    const words = make("p", { class: "problem", role: "alert" }, error.message);
    if (alone) this.body.replaceChildren(words);
    else this.body.prepend(words);
  }

  card(image, index) {
    const [, , name, score, , , matches] = image;
    const words = score === null ? name : `${score.toFixed(2)}${matches === false ? " · no match" : ""}`;
    const label = score === null ? name : `${name}, similarity ${words}`;
    const card = make("button", { type: "button", class: "card", "aria-label": label }, thumbnail(image), make("span", {}, words));
    card.onclick = () => this.viewer.open(this.images, index);
    return card;
  }

  explain([id, content, name, score, rank, margin]) {
    const like = make("button", { type: "button", class: "primary" }, "More like this");
    like.onclick = () => {
      this.viewer.dialog.close();
      this.alike({ key: "image", value: id, show: `/thumb/${id}/${content}.webp`, name });
    };
    if (score === null) return [like];
    const numbers = [["Cosine", score.toFixed(3)]];
    if (rank !== null) numbers.push(["Beats generic words", percent(rank)], ["Above the cut-off", `${margin < 0 ? "−" : "+"}${Math.abs(margin).toFixed(3)}`]);
    const list = make("dl", { class: "numbers" }, ...numbers.map(([what, number]) => make("div", {}, make("dt", {}, what), make("dd", {}, number))));
    const judged = `Your words fit this picture better than ${percent(rank)} of 150 everyday words do, and it is ${margin < 0 ? "below" : "above"} this search's cut-off; none of the three is a probability.`;
    return [list, make("p", { class: "note" }, rank === null ? "It ranks images for one question; it is no probability." : judged), like];
  }
}

customElements.define("sayso-grid", Grid);
