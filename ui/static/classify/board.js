// <sayso-board run="ID">: one classification, a column per class plus Unsure and None of these. A move is a label.
// A custom element with a shadow root: Gradio cannot patch what is inside, and every listener goes with the element.
import { arrange, isNarrow } from "./arrange.js";
import { askedFor, press } from "./board_keys.js";
import { Help, Picked, Tabs, downloads, explain, skipped } from "./board_look.js";
import { NONE, UNSURE, placeName } from "./changes.js";
import { Banner, Dial, whole } from "./lesson.js";
import { Film } from "./film.js";
import { Levels, isJoined, leaf } from "./levels.js";
import { Viewer, empty, make, many, percent, styled } from "../shared/parts.js";
import { may } from "../shared/person.js";
import { Pair } from "../shared/pair.js";
import { open as openPart } from "../shared/frame.js";
import { put as putElsewhere } from "../shared/place.js";
import { lookAtParts } from "./parts.js";
import { Pile, clamp } from "./pile.js";
import { Steps } from "./steps.js";
import { Trial } from "./trial.js";
import { meant } from "./typeahead.js";

const OPEN = 16; // classes that are open at first; the first nine of them have a key
const POLL = 2000; // milliseconds
const SIZES = { min: 72, max: 160, step: 4, usual: 88 }; // pixels of a tile
const SHEETS = ["classify/board"];
const coarse = matchMedia("(pointer: coarse)"); // a finger, which has no keys

const ORDERS = {
  "Surest first": (a, b) => b.share - a.share,
  "Least sure first": (a, b) => a.share - b.share,
  "By name": (a, b) => a.name.localeCompare(b.name, "en", { numeric: true }),
};

class Board extends HTMLElement {
  static observedAttributes = ["run"];
  // id -> {id, content, name, guess, share, why, said, rank}. share is how likely the answer is right, which the dial compares; why
  // says what there is instead of an answer. guess is a place, said the one a person gave, or null. Where an image
  // can have several labels, guess may be a list of places, and said is the value (1, -1, 0) of each that a person spoke of.
  cards = new Map();
  piles = new Map(); // place -> Pile
  selected = new Set();

  constructor() {
    super();
    const root = styled(this, "classify/board");
    this.body = make("div", { class: "board" });
    root.append(this.body);
    this.build();
    this.viewer = new Viewer(root, (item) => explain(this, item));
    this.pair = new Pair(root);
    root.append(this.banner.dialog, this.help.dialog, this.trial.dialog);
    const pileOf = (event) => event.target.closest?.(".pile")?.pile;
    root.addEventListener("keydown", (event) => press(this, event, pileOf(event)));
    root.addEventListener("click", (event) => this.click(event));
    root.addEventListener("dblclick", (event) => event.target.closest(".tile") && this.open());
    root.addEventListener("dragstart", (event) => this.drag(event));
    root.addEventListener("dragover", (event) => this.over(event, pileOf(event)));
    root.addEventListener("dragend", () => this.mark((this.dragging = null)));
    root.addEventListener("drop", (event) => {
      if (!this.dragging || !pileOf(event)) return;
      event.preventDefault();
      this.pile = pileOf(event);
      this.move(pileOf(event).code);
      this.mark((this.dragging = null));
    });
    this.watch = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) target.pile.inView = isIntersecting;
      this.draw();
    }, { root: this.strip, rootMargin: "0px 200px" });
    new ResizeObserver(() => this.draw()).observe(this.strip);
    this.strip.addEventListener("scroll", () => isNarrow() && this.tabs.follow(), { passive: true });
  }
  connectedCallback() {
    this.ends = new AbortController();
    document.addEventListener("keydown", (event) => askedFor(this, event), { signal: this.ends.signal });
    document.addEventListener("paste", (event) => this.pasted(event), { signal: this.ends.signal });
    this.timer = setInterval(() => !document.hidden && this.offsetParent && !this.dragging && this.steps?.poll(), POLL);
    this.start();
  }
  disconnectedCallback() {
    clearInterval(this.timer);
    this.ends.abort();
  }
  attributeChangedCallback() {
    if (this.isConnected) this.start();
  }

  build() {
    const button = (text, onclick, title = "") => make("button", { type: "button", onclick, title }, text);
    this.banner = new Banner(this);
    this.dial = new Dial(this);
    const icon = (name, words, onclick, title = words) => make("button", { type: "button", class: `icon ${name}`, "aria-label": words, title, onclick });
    this.undo = icon("undo", "Undo", () => this.steps.send("step/undo"), "Undo (Ctrl+Z)");
    this.redo = icon("redo", "Redo", () => this.steps.send("step/redo"), "Redo (Ctrl+Shift+Z)");
    this.size = clamp(Number(localStorage.saysoTile) || SIZES.usual, SIZES.min, SIZES.max);
    const size = make("input", { type: "range", min: SIZES.min, max: SIZES.max, step: SIZES.step, value: this.size, "aria-label": "Picture size", title: "Picture size", oninput: () => this.resize(Number(size.value)) });
    this.field = make("input", { list: "names", placeholder: "Class (M)", "aria-label": "Class to move to or show", autocomplete: "off" });
    this.names = make("datalist", { id: "names" });
    this.order = make("select", { "aria-label": "Order of the images", onchange: () => this.ranked() }, ...Object.keys(ORDERS).map((name) => make("option", {}, name)));
    this.levels = new Levels(() => (this.lay(), this.ranked(), this.say("")));
    const move = icon("move", "Move", () => this.named((code) => this.move(code)), "Move what is selected to this class (Enter)");
    const show = icon("show", "Show", () => this.named((code) => this.show(this.piles.get(code))), "Show this class");
    const look = icon("look", "Look", () => this.open(), "Look at it large (Enter, or a double click); two side by side");
    const next = button("Label next", () => this.queue("next"), "The images from which the classifier would learn most");
    const check = button("Check labels", () => this.queue("doubts"), "Labels that the other labels speak against");
    const parts = button("Look at parts", () => lookAtParts(this, parts), "Look for small things: at the parts of images without an answer");
    this.closer = make("div", { class: "closer" }, this.levels.choice, parts); // in the panel: the bar has no room to spare
    this.heading = make("h2");
    this.status = make("p", { role: "status", class: "told" });
    this.help = new Help(() => this.answer?.many);
    const keys = icon("keys", "Keys and mouse", () => this.help.show(), "Keys and mouse (?)");
    this.trial = new Trial(this);
    const once = icon("camera", "Try one picture", () => this.trial.show(), "Try one picture: paste it (Ctrl+V), choose it, or use the camera");
    const files = button("Save, export", () => openPart("drawer"), "Save the classifier, use a saved one, export, import");
    const words = make("div", { class: "words" }, this.heading, this.status);
    next.classList.add("soft");
    this.bar = make("div", { class: "bar", role: "toolbar", "aria-label": "Board" }, this.undo, this.redo, size, this.order, make("span", { class: "to" }, this.field, this.names, move, show), look, next, check, words, once, keys, files);
    this.notice = make("div", { class: "notice", hidden: "" });
    this.film = new Film(this);
    this.tabs = new Tabs(this);
    this.picked = new Picked(this);
    this.strip = make("div", { class: "strip" });
    this.lanes = make("div", { class: "lanes" });
    this.shelf = make("div", { class: "shelf" });
  }
  resize(size) {
    this.size = localStorage.saysoTile = size;
    this.draw();
  }

  // what the server says

  async start() {
    const run = this.getAttribute("run");
    if (run === this.run) return;
    this.run = run;
    this.say(""); // it spoke of the board of before
    this.counted = null;
    if (!run) {
      this.tellCounts(null);
      this.steps = null;
      putElsewhere("lesson", SHEETS);
      putElsewhere("downloads", SHEETS);
      const words = "Type class names, drop photos anywhere, then choose Classify.";
      return this.body.replaceChildren(empty("Nothing sorted yet", words));
    }
    const mine = { told: (...answer) => this.steps === steps && this.told(...answer), say: (words) => this.say(words), lost: (words) => this.load().then(() => this.say(words)) };
    const steps = new Steps(run, mine);
    this.steps = steps;
    this.piles = new Map();
    try {
      await this.load();
    } catch (error) {
      if (this.steps !== steps) return; // a later run has overtaken this one
      this.run = null;
      this.body.replaceChildren(make("p", { class: "problem", role: "alert" }, error.message));
    }
  }
  async load() {
    const steps = this.steps;
    const answer = await steps.load();
    if (steps !== this.steps) return;
    const same = this.piles.size && String(answer.labels) === String(this.labels) && this.answer?.many === answer.many;
    Object.assign(this, { answer, labels: answer.labels, preview: null });
    this.cards = new Map(answer.images.map(([id, content, name, guess, share, why]) => [id, { id, content, name, guess, share, why, said: null }]));
    for (const [id, place] of answer.changes) this.cards.get(id).said = place;
    for (const [id, name, share] of answer.upper) this.cards.get(id).upper = { name, share };
    this.film.load();
    this.selected = new Set();
    if (!this.cards.has(this.current)) this.current = undefined;
    if (!same) this.lay();
    for (const pile of this.piles.values()) pile.need(answer.thresholds?.[pile.code]);
    this.banner.draw(answer.lesson, answer.before, answer.check);
    this.dial.draw(answer);
    [this.undo.disabled, this.redo.disabled] = [!answer.undo, !answer.redo];
    this.ranked();
  }
  lay() {
    const { answer } = this;
    this.watch.disconnect();
    this.levels.draw(this.labels);
    const names = [[UNSURE, "Unsure"], [NONE, "None of these"], ...this.levels.columns()];
    this.piles = new Map(names.map(([code, name]) => [code, new Pile(this, code, name)]));
    const kept = sessionStorage[`sayso-open-${this.run}-${this.levels.level}`];
    const open = new Set(kept ? JSON.parse(kept) : [...this.piles.keys()].slice(0, OPEN + 2));
    for (const pile of this.piles.values()) {
      pile.open = open.has(pile.code);
      this.watch.observe(pile.root);
    }
    this.names.replaceChildren(...names.map(([, name]) => make("option", { value: name })));
    this.arranged = null;
    this.isLaidNew = true;
    this.strip.replaceChildren(...[...this.piles.values()].map((pile) => pile.root));
    putElsewhere("lesson", SHEETS, this.dial.root, this.closer, this.banner.root);
    putElsewhere("downloads", SHEETS, downloads(this.steps.url, (event) => this.checked(event)));
    this.notice.hidden = !answer.skipped.length;
    if (answer.skipped.length) this.notice.replaceChildren(...skipped(answer.skipped, () => (this.notice.hidden = true)));
    this.body.replaceChildren(this.bar, this.notice, this.film.root, this.tabs.root, this.strip, this.picked.root);
    this.keyed();
  }
  // Nothing is exported under other names than those in the field.
  checked(event) {
    const words = document.querySelector("#stale")?.textContent.trim();
    if (!words) return;
    event.preventDefault();
    this.say(words);
  }
  told(answer, kind, stale) {
    if (stale) return this.caughtUp(kind);
    [this.undo.disabled, this.redo.disabled] = [!answer.undo, !answer.redo];
    this.dial.counts = null;
    this.banner.draw(answer.lesson, undefined, answer.check);
    this.put(answer.changes);
    if (kind === "poll" && answer.changes.length && !this.selected.size) this.say(""); // it may have spoken of counts
    const done = { "step/undo": "Undone.", "step/redo": "Done again." }[kind];
    if (answer.skipped) this.say(`${answer.skipped.toLocaleString("en")} moved in another window meanwhile; left where they are.`);
    else if (done) this.say(answer.nothing ? `Nothing to ${kind.slice(5)}.` : done);
  }
  // The board is not what it was: by this window itself, of whose change a poll may hear first, by another one, or because
  // pictures have come or gone.
  async caughtUp(kind) {
    const isOurs = kind !== "poll" || this.isChanging;
    const [edition, count] = [editionOf(this.steps), this.cards.size];
    await this.load().catch(() => {});
    if (isOurs || this.isChanging) return;
    if (editionOf(this.steps) !== edition) this.say("The board was sorted anew in another window.");
    else if (this.cards.size !== count) this.say(`Images came or went: ${many(this.cards.size, "image")} now.`);
  }
  // A change of ours to the whole board; what polls hear meanwhile is no news.
  async change(work) {
    this.isChanging = true;
    await this.steps?.queue; // what was said before comes first
    await this.attempt(work);
    this.isChanging = false;
  }
  async attempt(work) {
    try {
      await work();
    } catch (error) {
      this.say(error.message);
    }
  }

  // where the pictures are

  places(id) {
    const { said, guess } = this.cards.get(id);
    if (said === null || !this.answer.many) return [said ?? guess].flat();
    const true_ = Object.keys(said).filter((code) => said[code] === 1).map(Number);
    return true_.length ? true_ : [Object.values(said).every((value) => value === 0) ? UNSURE : NONE];
  }
  // The columns that it stands in: those of its places, or of a level above.
  columns(id) {
    const { said, upper } = this.cards.get(id);
    return this.places(id).map((code) => this.levels.column(code, said === null ? upper?.name : null));
  }
  // The column in which a picture was last touched, of those that it is in.
  pileOf(id) {
    return this.pile?.ids.includes(id) ? this.pile : this.piles.get(this.columns(id)[0]);
  }
  ranked() {
    const rank = ORDERS[this.order.value];
    [...this.cards.values()].sort((a, b) => rank(a, b) || a.id - b.id).forEach((card, n) => (card.rank = n));
    for (const pile of this.piles.values()) Object.assign(pile, { ids: [], hasBeenFull: false, scrolled: 0 });
    this.arranged = null;
    for (const card of [...this.cards.values()].sort((a, b) => a.rank - b.rank)) for (const place of this.columns(card.id)) this.piles.get(place).ids.push(card.id);
    this.draw();
  }
  put(changes) {
    const touched = new Set();
    const moved = new Set();
    for (const [id, said] of changes) {
      const card = this.cards.get(id);
      if (!card || card.said === said) continue;
      const from = this.columns(id);
      card.said = said;
      const to = this.columns(id);
      if (String(from) === String(to)) continue;
      moved.add(id);
      for (const code of [...from, ...to]) touched.add(this.piles.get(code));
      for (const code of to) this.piles.get(code).ids.push(id);
    }
    for (const pile of touched) {
      const here = new Set(pile.ids.filter((id) => !moved.has(id) || this.columns(id).includes(pile.code)));
      pile.ids = [...here].sort((a, b) => this.cards.get(a).rank - this.cards.get(b).rank);
    }
    this.draw();
  }
  // What is said of a picture once it is moved: see `places`. A first word also says that the other guesses are right.
  saying(id, to, value) {
    if (!this.answer.many || to === null) return to;
    if (to < 0) return Object.fromEntries(this.labels.map((_, code) => [code, to === UNSURE ? 0 : -1]));
    const { said, guess } = this.cards.get(id);
    const guessed = Object.fromEntries([guess].flat().filter((code) => code >= 0).map((code) => [code, 1]));
    return { ...(said ?? guessed), [to]: value };
  }
  move(to, ids = this.selected.size ? [...this.selected] : this.current === undefined ? [] : [this.current], value = 1) {
    if (isJoined(to)) return this.say("This column joins classes. Choose the lowest level to label.");
    if (!may("labeller")) return this.say("Your role is viewer: you may look, and an owner may let you label.");
    ids = ids.filter((id) => (this.answer.many && to !== null ? this.cards.get(id).said?.[to] !== value : this.cards.get(id).said !== to));
    if (to === undefined || !ids.length) return this.say(to === undefined ? "No class has this key." : "Nothing to move.");
    const held = new Map();
    for (const id of ids) {
      const said = this.answer.many ? null : this.cards.get(id).said;
      held.has(said) ? held.get(said).push(id) : held.set(said, [id]);
    }
    const pile = this.pileOf(this.current ?? ids[0]);
    const at = pile.ids.indexOf(this.current);
    this.put(ids.map((id) => [id, this.saying(id, to, value)]));
    if (ids.includes(this.current)) {
      const next = pile.ids[at] === this.current ? at + 1 : at; // confirmed where it was: on to the one after it
      this.current = pile.ids[clamp(next, 0, pile.ids.length - 1)];
      if (pile.size && this.current !== undefined) pile.reveal(this.current);
    }
    this.selected = new Set();
    const gets = this.answer.many ? (value > 0 ? "labelled" : "not") : "moved to";
    this.say(to === null ? `${many(ids.length, "label")} taken away.` : `${ids.length.toLocaleString("en")} ${gets} ${placeName(this.labels, to)}.${coarse.matches ? "" : " Ctrl+Z undoes."}`);
    this.steps.send("move", { to, value, held: [...held] }, ids);
  }

  // what the person does

  select(ids, mode, at = null) {
    const id = ids[0];
    this.pile = at ?? this.pile;
    const pile = this.cards.has(id) ? this.pileOf(id) : null;
    if (mode === "range" && pile?.ids.includes(this.anchor)) {
      const [low, high] = [pile.ids.indexOf(this.anchor), pile.ids.indexOf(id)].sort((a, b) => a - b);
      this.selected = new Set(pile.ids.slice(low, high + 1));
    } else if (mode === "toggle") this.selected.delete(id) || this.selected.add(id);
    else if (mode !== "focus") this.selected = new Set(ids);
    if (ids.length === 1) this.current = id;
    if (ids.length === 1 && mode !== "range") this.anchor = id;
    this.say(this.selected.size ? `${this.selected.size.toLocaleString("en")} selected.` : "");
    this.draw();
  }
  click(event) {
    const tile = event.target.closest(".tile");
    if (!tile || this.banding) return;
    const toggle = event.ctrlKey || event.metaKey || matchMedia("(pointer: coarse)").matches;
    this.select([idOf(tile)], event.shiftKey ? "range" : toggle ? "toggle" : "", tile.closest(".pile").pile);
  }
  drag(event) {
    const tile = event.target.closest?.(".tile");
    if (!tile || event.shiftKey) return event.preventDefault(); // a drag with shift is a rubber band
    if (!this.selected.has(idOf(tile))) this.select([idOf(tile)], "", tile.closest(".pile").pile);
    this.dragging = true;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", many(this.selected.size, "image"));
  }
  over(event, pile) {
    if (!this.dragging) return;
    if (pile) event.preventDefault();
    this.mark(pile);
    const { left, right } = this.strip.getBoundingClientRect();
    this.strip.scrollLeft += event.clientX > right - 48 ? 16 : event.clientX < left + 48 ? -16 : 0;
  }
  mark(pile) {
    for (const other of this.piles.values()) other.root.classList.toggle("over", other === pile);
  }
  hot() {
    return [...this.piles.values()].filter(({ open, code }) => open && code >= 0).slice(0, 9);
  }
  // The columns that are no strips, from left to right, lane by lane.
  shown() {
    return [...this.strip.querySelectorAll(".pile")].map((root) => root.pile).filter((pile) => !pile.isStrip);
  }
  keyed() {
    const hot = this.hot();
    for (const pile of this.piles.values()) {
      pile.key.textContent = { [UNSURE]: "U", [NONE]: "N" }[pile.code] ?? (hot.indexOf(pile) + 1 || "");
    }
  }
  need(pile, needed) {
    return this.change(async () => {
      await this.steps.post("threshold", { code: pile.code, needed });
      await this.load();
      this.say(`${pile.name} must be ${percent(needed)} sure; ${pile.ids.length.toLocaleString("en")} are.`);
    });
  }
  fold(pile, folded) {
    pile.open = !folded;
    pile.isWanted = !folded;
    sessionStorage[`sayso-open-${this.run}-${this.levels.level}`] = JSON.stringify([...this.piles.values()].filter(({ open }) => open).map(({ code }) => code));
    this.keyed();
    this.draw();
  }
  show(pile) {
    this.fold(pile, false);
    pile.root.scrollIntoView({ block: "nearest", inline: "center" });
    pile.list.focus();
  }
  named(act) {
    const { pile, words } = meant(this.field.value, [...this.piles.values()]);
    if (!pile) return this.say(words);
    this.field.value = "";
    act(pile.code);
  }

  // looking

  // A picture from the clipboard is tried at once; names that are pasted go where they are pasted.
  pasted(event) {
    const file = [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith("image/"));
    if (!file || !this.offsetParent) return;
    event.preventDefault();
    if (this.steps) this.trial.take(file);
    else this.body.replaceChildren(empty("Nothing sorted yet", "Classify some photos first; then a pasted picture gets its answer at once."));
  }
  open() {
    if (this.current === undefined) return this.say("Choose an image first.");
    if (this.selected.size === 2) return this.compare([...this.selected]);
    const { ids } = this.pileOf(this.current);
    this.look(ids.map((id) => this.item(id)), ids.indexOf(this.current));
  }
  look(items, index) {
    this.viewer.open(items, index);
  }
  compare(ids) {
    this.pair.open(ids.map((id) => this.item(id)), ids.map((id) => this.describe(id)));
  }
  queue(what) {
    return this.attempt(async () => {
      const { items, words } = await this.steps.get(what);
      if (items.length) this.look(items, 0);
      else this.say(words);
    });
  }
  item(id) {
    const { content, name } = this.cards.get(id);
    return [id, content, name];
  }
  describe(id) {
    const { name, share, why, said } = this.cards.get(id);
    return `${name}, ${whole(share)}${said === null ? (why ? `, ${why}` : "") : ", labelled"}`;
  }
  tile(id, code) {
    const { content } = this.cards.get(id);
    const picture = make("img", { src: `/thumb/${id}/${content}.webp`, alt: "", decoding: "async", draggable: "false" });
    const node = make("div", { id: `tile-${code}-${id}`, role: "option", draggable: "true" }, picture, make("b", { class: "figure" }));
    this.figure(node, id);
    return node;
  }
  // A tile stays when the board is sorted anew; what it says of its picture may not.
  figure(node, id) {
    const { name, share, why, upper, said } = this.cards.get(id);
    const title = `${name}, likely right: ${whole(share)}${why ? `. ${why}` : ""}`;
    const words = upper && said === null ? `${leaf(upper.name)}, ${percent(upper.share)}` : whole(share);
    if (node.lastChild.textContent !== words) node.lastChild.textContent = words;
    if (node.title !== title) node.title = title;
  }
  say(words) {
    this.status.textContent = this.status.title = words;
  }
  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      const piles = [...this.piles.values()];
      arrange(this);
      for (const pile of piles) pile.measure();
      for (const pile of piles) pile.draw();
      this.headline(piles);
      this.film.draw();
      this.tabs.draw();
      this.picked.draw();
    });
  }
  tellCounts(counts) {
    this.counts = counts;
    document.dispatchEvent(new CustomEvent("sayso-counts", { detail: counts }));
  }
  byLabel() {
    const counts = this.labels.map(() => 0);
    for (const id of this.cards.keys()) for (const code of this.places(id)) if (code >= 0) counts[code]++;
    return this.labels.map((label, code) => [label, counts[code]]);
  }
  headline(piles) {
    const classes = piles.filter(({ code }) => code >= 0);
    const counts = this.levels.level ? this.byLabel() : classes.map(({ name, ids }) => [name, ids.length]);
    const counted = `${this.labels}: ${counts.map(([, count]) => count)}`;
    if (piles.length && counted !== this.counted) this.tellCounts(Object.fromEntries(counts));
    this.counted = counted;
    const filled = classes.filter(({ ids }) => ids.length).length;
    let labelled = 0;
    for (const { said } of this.cards.values()) labelled += said !== null;
    const words = `${many(this.cards.size, "image")} in ${filled} of ${classes.length} ${classes.length === 1 ? "class" : "classes"}`;
    const all = labelled ? `${words}, ${labelled.toLocaleString("en")} labelled` : words;
    if (this.heading.textContent !== all) this.heading.textContent = this.heading.title = all;
  }
}

const editionOf = (steps) => steps.epoch.split("-")[0];
const idOf = (tile) => Number(tile.id.split("-").at(-1));

customElements.get("sayso-board") ?? customElements.define("sayso-board", Board);
