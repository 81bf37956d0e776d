// <sayso-grid news="7:3">: the library as one question (words, pictures, an album, filters, an order) and its answer, however
// many images that are. `news` changes when there is something new: a number of its own, and the folder to show, if any, or
// "more" while images come in.
import { Albums } from "./albums.js";
import { ByHand } from "./handmade.js";
import { Form } from "./form.js";
import { Large } from "./large.js";
import { isSwitchedOff } from "../shared/frame.js";
import { Pair } from "../shared/pair.js";
import { put as putElsewhere, show as showElsewhere } from "../shared/place.js";
import { empty, getJSON, make, many, styled } from "../shared/parts.js";
import { Bar, Labels, Selection, post } from "./selection.js";
import { Tiles } from "./tiles.js";
import { Timeline } from "./timeline.js";
import { Views } from "./views.js";
import { where } from "../shared/where.js";

const PAGE = 120; // images in an answer
const REST = 2000; // milliseconds at least from one look at what comes in to the next
const SHEETS = ["library/grid"];

let like = null; // {key: "image" | "picture", value, show, name}; outside of the element, which the page may make anew

class Grid extends HTMLElement {
  static observedAttributes = ["news"];
  question = {};
  selection = new Selection();
  labels = [];

  constructor() {
    super();
    const root = styled(this, "library/grid");
    this.form = new Form(this);
    this.albums = new Albums(this);
    this.tiles = new Tiles(this);
    this.byHand = new ByHand(this);
    this.bar = new Bar(this, this.byHand.nodes);
    this.steps = new Labels();
    this.tools = make("div", { class: "tools" });
    this.headline = make("header", { class: "headline" });
    this.status = make("p", { class: "said", role: "status" });
    this.nothing = make("div", { class: "nothing" });
    this.hint = make("p", { class: "hint", role: "status" });
    this.suggest = make("div", { class: "chips start" });
    const keys = "Arrows go, Enter shows large, Space selects. Shift selects a range, Ctrl+A all. L labels. Draw a frame with the mouse. In the large view 1 to 5 give stars, 0 takes them away.";
    const help = make("details", { class: "keys" }, make("summary", {}, "Keys"), make("p", { class: "note" }, keys));
    this.shell = make("div", { class: "shell", hidden: "" }, make("div", { class: "frame" }, this.tiles.list, this.bar.root));
    this.views = new Views(this);
    this.timeline = new Timeline(this);
    this.tiles.list.after(this.timeline.strip);
    const line = make("div", { class: "line" }, make("div", { class: "words" }, this.headline, this.status), this.timeline.root, this.form.fields.sort, this.tiles.slider, this.views.root);
    root.append(line, this.hint, this.suggest, this.nothing, this.shell);
    this.elsewhere = { search: [this.form.search, this.tools], library: [this.form.where, this.albums.root, help] };
    this.large = new Large(root, this);
    this.pair = new Pair(root);
    this.sure = make("dialog", { class: "sure", "aria-label": "Forget this folder?" });
    root.append(this.sure);
    this.tiles.list.onkeydown = (event) => this.keys(event);
    // Another tab may have added images meanwhile: look again whenever the grid comes back into sight.
    this.sight = new IntersectionObserver(([entry]) => {
      if (entry.isIntersecting && this.wasHidden) this.refresh();
      this.wasHidden = !entry.isIntersecting && this.offsetParent === null;
      showElsewhere("search", this.offsetParent !== null);
    });
    this.pasted = (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith("image/"));
      if (file && this.offsetParent) this.take(file);
    };
  }
  connectedCallback() {
    // here and not in the constructor: Gradio also makes elements that never come into the page
    for (const [name, parts] of Object.entries(this.elsewhere)) putElsewhere(name, SHEETS, ...parts);
    this.sight.observe(this);
    document.addEventListener("paste", this.pasted);
    where.addEventListener("go", this.go);
    if (Object.keys(where.search).length) return this.go();
    this.places();
    this.submit();
  }
  disconnectedCallback() {
    this.sight.disconnect();
    where.removeEventListener("go", this.go);
    document.removeEventListener("paste", this.pasted);
  }
  attributeChangedCallback(name, before, news) {
    if (!this.isConnected || before === news || !news) return;
    const folder = news.split(":")[1];
    if (folder === "more") return this.grown();
    return folder ? this.arrived(folder) : this.refresh();
  }

  // the question

  // To where a session was: once the folders and labels are there, of which it may have chosen one.
  go = async () => {
    const { album, image, everything, ...values } = where.search;
    const { question } = this;
    like = null;
    await this.places();
    if (question !== this.question) return; // someone was quicker, and has asked for something else
    if (album) return this.openAlbum(album);
    this.form.set({ q: "", folder: "", name: "", since: "", until: "", label: "", stars: "", place: "", orientation: "", sort: "", ...values });
    await this.submit();
  };
  submit() {
    this.form.drawn();
    return this.ask({ ...this.form.values(), ...(like ? { [like.key]: like.value } : {}) });
  }
  get isLike() {
    return Boolean(like);
  }
  openAlbum(album) {
    like = null;
    const { sort } = this.form.values();
    return this.ask({ album, ...(sort ? { sort } : {}) });
  }
  join(picture, keep) {
    like = picture;
    if (!keep) return this.submit();
    const { selection } = this;
    return this.submit().then(() => this.choose(selection));
  }
  // A picture of the library alone: words of the search before would only confuse.
  more([id, content, name]) {
    this.form.set({ q: "" });
    this.join({ key: "image", value: id, show: `/thumb/${id}/${content}.webp`, name });
  }
  async take(file) {
    await this.attempt(async () => {
      const answer = await getJSON("/api/pictures", { method: "POST", body: file, headers: { "Content-Type": file.type || "image/*" } });
      await this.join({ key: "picture", value: answer.picture, show: URL.createObjectURL(file), name: file.name });
    });
  }
  search(words) {
    this.form.set({ q: words });
    this.submit();
  }
  url(path, extra = {}) {
    return `${path}?${new URLSearchParams({ ...this.question, ...extra })}`;
  }
  fetchPage(number) {
    return getJSON(this.url("/api/images", { offset: number * PAGE }));
  }
  failed = (error) => this.say(error.message);

  async ask(question) {
    this.turnTo(question);
    try {
      let answer = await this.fetchPage(0);
      if (question !== this.question) return; // a newer question has been asked
      if (answer.clear === false && !answer.total) {
        // said above the closest: a model that is too careful must not hide what is there
        question = this.question = { ...question, everything: true };
        answer = await this.fetchPage(0);
        if (question !== this.question) return;
      }
      this.begin(answer);
    } catch (error) {
      if (question === this.question) this.problem(error);
    }
  }
  turnTo(question) {
    this.question = question;
    const { picture, image, ...kept } = question; // a picture that was pasted is nowhere to be found again
    where.moved({ search: kept });
    this.showTools();
    this.albums.draw();
    this.say("");
  }
  begin(answer) {
    this.selection = new Selection();
    this.base = null;
    this.show(answer);
  }
  // A folder that has come in is shown; but who selects, types, looks for words or at an image by then is at work, and stays.
  async arrived(folder) {
    const { question } = this;
    const { sort } = this.form.values();
    const next = { folder, ...(sort ? { sort } : {}) };
    await this.attempt(async () => {
      const [answer] = await Promise.all([getJSON(`/api/images?${new URLSearchParams({ ...next, offset: 0 })}`), this.places()]);
      if (question !== this.question || this.isBusy()) return this.refresh();
      like = null;
      this.form.set({ q: "", name: "", since: "", until: "", label: "", stars: "", place: "", orientation: "", folder });
      this.turnTo(next);
      this.begin(answer);
    });
  }
  isBusy() {
    return this.selection.count(this.tiles.total) > 0 || this.large.dialog.open || this.form.isInUse || Boolean(this.question?.q);
  }
  // The same question again, after something has changed; place and selection stay.
  async refresh() {
    const { question } = this;
    await this.attempt(async () => {
      const [answer] = await Promise.all([this.fetchPage(0), this.places()]);
      if (question === this.question) this.show(answer, true);
    });
  }
  // What has come in so far, in its place. At most one look at a time, and most of the time none; the end is told for itself.
  async grown() {
    if (this.isResting || this.offsetParent === null) return;
    this.isResting = true;
    const { question } = this;
    const began = performance.now();
    await this.attempt(async () => {
      const answer = await this.fetchPage(0);
      if (question === this.question && answer.total !== this.tiles.total) this.show(answer, true);
    });
    setTimeout(() => (this.isResting = false), Math.max(REST, 10 * (performance.now() - began)));
  }
  places() {
    return this.attempt(async () => {
      const [places] = await Promise.all([getJSON("/api/places"), this.albums.load()]);
      this.labels = places.labels;
      this.form.offer(places);
      this.drawn();
    });
  }

  // the answer

  show(answer, again) {
    this.answer = answer;
    if (this.tiles.fill(answer, again)) this.base = null; // a range goes on from the image, not from the place where it was
    this.shell.hidden = !answer.total;
    this.nothing.replaceChildren(...(answer.total ? [] : [this.empty(answer)]));
    this.headline.replaceChildren(...this.heading(answer));
    const words = answer.clear === false && answer.total ? this.suggested(answer) : [];
    this.views.show();
    this.timeline.load();
    this.hint.textContent = answer.hint ?? "";
    this.suggest.replaceChildren(...(words.length ? [make("span", { class: "note" }, "Words that do match here:"), ...words] : []));
    this.drawn();
  }
  heading(answer) {
    const { everything, album, q } = this.question;
    const title = album ? `${answer.title}: ${many(answer.total, "image")}` : answer.title;
    const note = answer.note ? [make("p", { class: "note", title: answer.about || answer.note }, answer.note)] : [];
    const words = make("div", { role: "status" }, make("h2", { title }, title), ...note);
    const link = (text, onclick) => make("button", { type: "button", class: "link", onclick }, text);
    const links = [];
    if ((everything && answer.clear) || album) links.push(link("Back", () => this.submit()));
    if (album) links.push(link("Delete this album", () => this.albums.remove(album)));
    if (q && answer.clear && !everything) links.push(link("Show the closest, too", () => this.ask({ ...this.question, everything: true })));
    if (!answer.total && !album) return [];
    return [words, make("nav", { "aria-label": "This answer" }, ...links)];
  }
  empty(answer) {
    const { question } = this;
    const button = (text, onclick) => make("button", { type: "button", class: "primary", onclick }, text);
    const box = (title, words, ...rest) => {
      const node = empty(title, words);
      node.setAttribute("role", "status");
      node.append(...rest);
      return node;
    };
    if (question.album && this.albums.isByHand(question.album)) return box("Nothing in this album", "Select photos elsewhere and choose “Add to album”.");
    if (question.album) return box("Nothing in this album now", "Photos that match come into it by themselves when they are added.");
    if (answer.clear === false) return box(answer.title, "Change the folder or the filters, or try other words.", make("div", { class: "chips" }, ...this.suggested(answer)));
    const { sort, ...asked } = question;
    if (Object.keys(asked).length) return box("No images here", "Change the folder, the filters or the words.", button("Show everything", () => this.everything()));
    const samples = make("button", { type: "button", class: "second", onclick: () => document.querySelector("#add-samples").click() }, "Add the sample photos");
    const folder = button("Choose a folder …", () => document.querySelector("sayso-chooser").open());
    return box("No images yet", "Choose a folder with photos, or try things out on the sample photos.", make("div", { class: "chips" }, folder, samples));
  }
  suggested(answer) {
    return answer.suggestions.map((text) => make("button", { type: "button", class: "chip", onclick: () => this.search(text) }, text));
  }
  everything() {
    like = null;
    this.form.set({ q: "" });
    this.form.clear();
  }
  showTools() {
    if (this.question.album) return this.tools.replaceChildren();
    if (like) {
      const away = make("button", { type: "button", class: "link", onclick: () => this.join(null) }, "Remove");
      const words = make("span", {}, `Searching with ${like.name}; add words to steer it.`);
      return this.tools.replaceChildren(make("div", { class: "like" }, make("img", { src: like.show, alt: "" }), words, away));
    }
    const input = make("input", { type: "file", accept: "image/*", hidden: "", "aria-label": "Picture to search with" });
    input.onchange = () => input.files[0] && this.take(input.files[0]);
    const words = "Search with a picture: choose one, or paste it";
    const choose = make("button", { type: "button", class: "icon picture", "aria-label": words, title: words, onclick: () => input.click() });
    this.tools.replaceChildren(make("div", { class: "like" }, choose, input));
  }
  describe([, , name, score, , , matches]) {
    if (score === null) return [name, name];
    const differs = this.answer.clear && matches === false; // where nothing matches, the heading says so once
    return [differs ? "by closeness" : "", `${name}, similarity ${score.toFixed(2)}${differs ? " · no match" : ""}`];
  }
  problem(error) {
    this.shell.hidden = true;
    this.headline.replaceChildren();
    this.hint.textContent = "";
    this.suggest.replaceChildren();
    this.nothing.replaceChildren(make("p", { class: "problem", role: "alert" }, error.message));
  }
  say(words, undo) {
    const back = undo ? [" ", make("button", { type: "button", class: "link", onclick: () => this.attempt(undo) }, "Undo")] : [];
    this.status.replaceChildren(words, ...back);
  }
  async attempt(work) {
    try {
      return await work();
    } catch (error) {
      this.say(error.message);
    }
  }

  // the selection

  has(id) {
    return this.selection.has(id);
  }
  choose(selection) {
    this.selection = selection;
    this.drawn();
  }
  drawn() {
    const count = this.selection.count(this.tiles.total);
    this.bar.draw(count, this.tiles.total, this.labels);
    this.byHand.draw(count);
    this.shell.classList.toggle("choosing", count > 0);
    this.tiles.draw();
    this.views.selected(count);
  }
  all() {
    this.choose(new Selection([], this.question));
  }
  clear() {
    this.base = null;
    this.choose(new Selection());
    if (!this.views.isMap) this.tiles.list.focus({ preventScroll: true });
  }
  pick(event, index, isCheck) {
    if (!this.tiles.at(index)) return;
    const coarse = matchMedia("(pointer: coarse)").matches && this.selection.count(this.tiles.total);
    if (event.shiftKey) return this.range(index);
    if (isCheck || event.ctrlKey || event.metaKey || coarse) return this.pickOne(index);
    this.tiles.current = index;
    this.large.openAt(index);
  }
  pickOne(index) {
    const [id] = this.tiles.at(index);
    this.choose(this.selection.copy().toggle(id));
    this.tiles.current = this.anchor = index;
    this.base = this.selection.copy();
  }
  // From where the last one was picked to here, on top of what was selected then.
  async range(index) {
    const from = this.base ? this.anchor : Math.max(0, this.tiles.current);
    this.base ??= this.selection.copy();
    this.anchor = from;
    this.tiles.go(index);
    const [low, high] = [Math.min(from, index), Math.max(from, index)];
    await this.grow(this.base, low, high + 1, () => true);
  }
  band(low, high, meets, isLast) {
    this.framed ??= this.selection.copy();
    const base = this.framed;
    if (isLast) this.framed = null;
    return this.grow(base, low, high, meets).then(() => {
      if (isLast) this.base = null;
    });
  }
  // `base` with the images of some places; those that were never fetched are asked of the server.
  async grow(base, low, high, meets) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const places = Array.from({ length: high - low }, (_, n) => low + n).filter(meets);
    let id = (index) => this.tiles.at(index)[0];
    if (places.some((index) => !this.tiles.at(index))) {
      const ids = await this.attempt(() => getJSON(this.url("/api/ids", { offset: low, limit: high - low })));
      if (!ids || turn !== this.turn) return;
      id = (index) => ids[index - low];
    }
    this.choose(base.copy().add(places.map(id).filter((id) => id !== undefined)));
  }
  keys(event) {
    const { tiles } = this;
    const ctrl = event.ctrlKey || event.metaKey;
    const to = event.altKey ? undefined : tiles.step(event.key);
    if (event.altKey || !tiles.total) return;
    if (to !== undefined) event.shiftKey ? this.range(to) : (tiles.go(to), (this.base = null));
    else if (ctrl && event.key.toLowerCase() === "a") this.all();
    else if (ctrl && event.key.toLowerCase() === "z") this.undo();
    else if (ctrl) return;
    else if (event.key === " " && tiles.at(tiles.current)) this.pickOne(tiles.current);
    else if (event.key === "Enter" && tiles.current >= 0) this.large.openAt(tiles.current);
    else if (event.key === "Escape") this.clear();
    else if (event.key.toLowerCase() === "l" && !isSwitchedOff(event) && !this.bar.root.hidden) this.bar.field.focus();
    else return;
    event.preventDefault();
  }
  // The large view was closed at this image.
  left(index) {
    this.tiles.go(index);
    this.tiles.list.focus({ preventScroll: true });
  }

  // what is done with it

  label(name) {
    return this.give(this.selection, name, 1);
  }
  give(chosen, name, value) {
    this.say("Labelling …");
    return this.attempt(async () => {
      const { changed, pictures, label } = await this.steps.give(chosen, name, value);
      const what = value === null ? `Label ${label} taken away from` : `Labelled ${label}:`;
      const known = changed < pictures && value !== null ? `, ${(pictures - changed).toLocaleString("en")} of them before or as copies` : "";
      this.say(`${what} ${many(pictures, "image")}${known}.`, changed ? () => this.undo() : null);
      this.bar.field.value = "";
      await this.places();
      this.views.show(); // its colours may be the labels
    });
  }
  undo() {
    return this.attempt(async () => {
      const { changed } = await this.steps.undo();
      this.say(`Taken back: the last label of ${many(changed, "image")}.`);
      await this.places();
      this.views.show();
    });
  }
  rate(id, stars) {
    return this.attempt(() => getJSON("/api/rate", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ chosen: { ids: [id] }, stars }) }));
  }
  use() {
    return this.attempt(async () => {
      const { source } = await post("/api/source", this.selection);
      this.dispatchEvent(new CustomEvent("use", { detail: source, bubbles: true }));
    });
  }
  compare() {
    return this.attempt(async () => {
      const near = () => [...this.tiles.pages.values()].flat().filter(([id]) => this.selection.has(id));
      const both = this.selection.question ? near() : await post("/api/cards", this.selection);
      if (both.length === 2) this.pair.open(both);
      else this.say("One of the two is too far away; scroll to it first.");
    });
  }
  alike() {
    return this.attempt(async () => {
      const { picture, name, show } = await post("/api/alike", this.selection);
      this.form.set({ q: "" });
      await this.join({ key: "picture", value: picture, show: `/thumb/${show.join("/")}.webp`, name }, !this.selection.question);
    });
  }
  forget(id, name) {
    const close = () => this.sure.close();
    const yes = async () => {
      close();
      await this.attempt(async () => {
        await post(`/api/folders/${id}/forget`, {});
        this.form.set({ folder: "" });
        await this.places();
        await this.submit();
        this.say("The folder was taken out of the library. Its files are untouched; add it again at any time.");
      });
    };
    const button = (text, onclick, kind = "") => make("button", { type: "button", class: kind, onclick }, text);
    const words = make("p", {}, `${name} leaves the library with what was computed for its images. The files stay where they are, and labels stay with the images.`);
    this.sure.replaceChildren(make("h3", {}, "Forget this folder?"), words, make("div", { class: "row" }, button("Forget it", yes, "primary"), button("Keep it", close)));
    this.sure.showModal();
  }
}

customElements.get("sayso-grid") ?? customElements.define("sayso-grid", Grid);
