// Above the board: what the labels have taught, and the dial. The board gives steps, say, load, labels, viewer and piles.
import { changeList } from "./changes.js";
import { reliability } from "./curve.js";
import { make } from "../shared/parts.js";

const button = (text, onclick, kind = "") => make("button", { type: "button", class: kind, onclick }, text);

export class Banner {
  constructor(board) {
    this.board = board;
    this.words = make("p");
    this.use = button("Use it", () => this.change("use", "Sorted with what your labels taught. Labelled images stay where you put them."), "primary");
    this.see = button("See what changed", () => this.show());
    this.hide = button("Not now", () => ((this.dismissed = this.lesson.id), this.draw()));
    this.back = button("Go back to before", () => this.change("undo", "Sorted as before; your labels are kept."));
    this.root = make("section", { class: "banner", "aria-label": "What your labels taught" }, this.words, this.use, this.see, this.hide, this.back);
    this.body = make("div", { class: "side" });
    this.dialog = make("dialog", { class: "viewer sheet", "aria-label": "What changed" });
    const close = button("Close", () => this.dialog.close());
    this.dialog.append(make("div", { class: "bar" }, make("h2", { class: "place" }, "What would change"), close), this.body);
    this.dialog.onclick = (event) => {
      if (event.target === this.dialog) this.dialog.close(); // an answer of false would stop links and forms in it
    };
  }
  draw(lesson = this.lesson, before = this.before) {
    Object.assign(this, { lesson, before });
    const offered = lesson && lesson.id !== this.dismissed;
    this.root.hidden = !offered && !before;
    this.use.hidden = !offered || !lesson.adopt;
    this.see.hidden = this.hide.hidden = !offered;
    this.back.hidden = !before;
    const words = offered ? `${lesson.sentence}.` : this.board.answer.kind === "zero-shot" ? "The shares became probabilities by your labels." : "The board is sorted by what your labels taught.";
    if (this.words.textContent !== words) this.words.textContent = words;
  }
  async change(what, done) {
    const { board } = this;
    await board.change(async () => {
      await board.steps.post(`lesson/${what}`);
      await board.load();
      board.say(done);
    });
  }
  async show() {
    const { board } = this;
    await board.attempt(async () => {
      const answer = await board.steps.get("lesson");
      this.body.replaceChildren(changeList(answer, (items, index) => board.look(items, index)), answer.curve ? reliability(answer.curve) : "");
      this.dialog.showModal();
    });
  }
}

export class Dial {
  constructor(board) {
    this.board = board;
    this.input = make("input", { type: "range", min: 0, max: 1, step: 0.05, "aria-describedby": "dial-note" });
    this.value = make("output");
    this.note = make("span", { class: "note", id: "dial-note" });
    this.curve = make("details", {}, make("summary", {}, "How well does that hold?"));
    this.root = make("div", { class: "dial" }, make("label", {}, "How sure must it be? ", this.input), this.value, this.note, this.curve);
    this.turned = 0;
    this.input.oninput = () => this.turn();
    this.input.onchange = () => this.set();
  }
  draw({ sure, calibrated, exclusive, curve }) {
    this.curve.hidden = !(calibrated && curve);
    if (curve) this.curve.replaceChildren(this.curve.firstChild, reliability(curve));
    this.input.value = sure;
    this.value.textContent = percent(sure);
    this.counts = null;
    if (calibrated) this.note.textContent = `Probability, calibrated on ${calibrated} labels.`;
    else this.note.textContent = exclusive ? "Share among your labels, not a probability." : "Each label scored on its own, not a probability.";
  }
  // Live: the counts for every setting are fetched once and shown in the headers while the dial turns.
  async turn() {
    const { board } = this;
    const turned = ++this.turned;
    this.value.textContent = percent(this.input.value);
    this.counts ??= board.steps.get("dial").catch(() => null);
    const answer = await this.counts;
    if (!answer || turned !== this.turned) return; // turned further or let go meanwhile
    const at = answer.sures.findIndex((sure) => Math.abs(sure - this.input.value) < 0.01);
    const guessed = answer.counts[at];
    board.preview = new Map([...board.piles.keys()].map((code) => [code, guessed.at(code < 0 ? -3 - code : code)]));
    for (const { id, said } of board.cards.values()) if (said !== null) for (const place of board.places(id)) board.preview.set(place, board.preview.get(place) + 1);
    board.draw();
  }
  async set() {
    const { board } = this;
    const sure = Number(this.input.value);
    await board.change(async () => {
      await board.steps.post("dial", { sure });
      await board.load();
      board.say(`It must be ${percent(sure)} sure; ${board.piles.get(-1).ids.length.toLocaleString("en")} are unsure, ${board.piles.get(-2).ids.length.toLocaleString("en")} none of these.`);
    });
    this.turned++;
    board.preview = null;
    board.draw();
  }
}

const percent = (share) => `${Math.round(100 * share)} %`;
