// Above the board: what the labels have taught, and the dial. The board gives steps, say, load, labels, viewer and piles.
import { changeList } from "./changes.js";
import { reliability } from "./curve.js";
import { make, percent } from "../shared/parts.js";

export const whole = (share) => `${Math.round(100 * share)} %`; // as the figure is kept and compared: in whole per cent
const PROMISES = [["", "nothing"], ...[1, 2, 5, 10].map((wrong) => [wrong / 100, `at most ${wrong} % wrong`])];
const put = (node, text) => node.textContent !== text && (node.textContent = text);
const button = (text, onclick, kind = "") => make("button", { type: "button", class: kind, onclick }, text);

export class Banner {
  constructor(board) {
    this.board = board;
    this.checked = make("p");
    this.check = button("Check at random", () => board.queue("check"));
    this.words = make("p");
    this.use = button("Use it", () => this.change("use", (before, after) => `Your labels are used. Labelled images stay where they are.${before === after ? "" : ` The dial is now ${whole(after)}.`}`));
    this.see = button("See what changed", () => this.show());
    this.hide = button("Not now", () => ((this.dismissed = this.lesson.id), this.draw()));
    this.back = button("Go back to before", () => this.change("undo", () => "Sorted as before; your labels are kept."));
    this.sample = make("div", { class: "check" }, this.checked, this.check);
    this.root = make("section", { class: "banner", "aria-label": "What your labels taught" }, this.sample, this.words, this.use, this.see, this.hide, this.back);
    this.body = make("div", { class: "side" });
    this.dialog = make("dialog", { class: "viewer sheet", "aria-label": "What changed" });
    const close = button("Close", () => this.dialog.close());
    this.dialog.append(make("div", { class: "bar" }, make("h2", { class: "place" }, "What would change"), close), this.body);
    this.dialog.onclick = (event) => {
      if (event.target === this.dialog) this.dialog.close(); // an answer of false would stop links and forms in it
    };
  }
  // lesson: {id, labels, adopt, main, sentence}; check: {of, left, sentence}, progress on images that chance chose
  draw(lesson = this.lesson, before = this.before, check = this.sampled) {
    Object.assign(this, { lesson, before, sampled: check });
    const offered = lesson && lesson.id !== this.dismissed;
    this.root.hidden = !offered && !before && !check;
    this.sample.hidden = !check;
    if (check) {
      put(this.checked, `${check.sentence}.`);
      put(this.check, check.left === check.of ? `Check ${check.of} at random` : `Check ${check.left} more`);
      this.check.hidden = !check.left;
    }
    this.use.hidden = !offered || !lesson.adopt;
    this.use.classList.toggle("primary", Boolean(offered && lesson.main)); // the main thing to do only where it is surely better
    put(this.use, offered && !lesson.main ? "Use it anyway" : "Use it");
    this.see.hidden = this.hide.hidden = !offered;
    this.back.hidden = !before;
    const sorted = this.board.answer.kind === "zero-shot" ? "The figures are measured on your labels." : "The board is sorted by what your labels taught.";
    this.words.hidden = !offered && !before;
    put(this.words, offered ? `${lesson.sentence}.` : sorted);
  }
  async change(what, done) {
    const { board } = this;
    await board.change(async () => {
      const dial = board.answer.sure;
      await board.steps.post(`lesson/${what}`);
      await board.load();
      board.say(done(dial, board.answer.sure));
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
    this.input = make("input", { type: "range", min: 0, max: 1, step: 0.01, "aria-describedby": "dial-note" });
    this.value = make("output");
    this.note = make("span", { class: "note", id: "dial-note" });
    this.curve = make("details", {}, make("summary", {}, "How well does that hold?"));
    this.promise = make("select", { onchange: () => this.promised() }, ...PROMISES.map(([wrong, words]) => make("option", { value: wrong }, words)));
    this.more = button("Label some at random", () => board.queue("random"));
    this.more.hidden = true;
    this.told = make("p", { class: "note" });
    const promise = make("label", {}, "Or promise ", this.promise);
    this.root = make("div", { class: "dial" }, make("label", {}, "How sure must it be? ", this.input), this.value, promise, this.told, this.more, this.note, this.curve);
    this.turned = 0;
    this.input.oninput = () => this.turn();
    this.input.onchange = () => this.set();
  }
  draw({ sure, calibrated, curve, promise, many }) {
    this.promise.parentNode.hidden = many;
    this.keep(promise);
    this.curve.hidden = !(calibrated && curve);
    if (curve) this.curve.replaceChildren(this.curve.firstChild, reliability(curve));
    this.input.value = sure;
    this.value.textContent = whole(sure);
    this.counts = null;
    const from = calibrated ? `measured on your ${calibrated} labels` : "estimated until you label some";
    this.note.textContent = `Each image shows how likely its answer is right, ${from}.`;
  }
  // promise: {wrong, sentence, drift}, drift where the images are of another kind than those it was tested on
  keep(promise) {
    const wrong = promise ? String(promise.wrong) : "";
    if (promise && ![...this.promise.options].some(({ value }) => value === wrong)) this.promise.append(make("option", { value: wrong }, `at most ${percent(promise.wrong)} wrong`));
    this.promise.value = wrong;
    this.told.classList.toggle("problem", Boolean(promise?.drift));
    put(this.told, promise ? promise.drift || promise.sentence : "");
    this.more.hidden = !promise?.drift;
  }
  async promised() {
    const { board } = this;
    const wrong = this.promise.value === "" ? null : Number(this.promise.value);
    await board.change(async () => {
      try {
        await board.steps.post("promise", { wrong });
      } catch (error) {
        this.keep(board.answer.promise);
        put(this.told, error.message); // stays until the next promise: what to do stands beside it
        this.more.hidden = false;
        throw error;
      }
      await board.load();
      board.say(wrong === null ? "No promise; the dial stays." : `The dial is at ${whole(board.answer.sure)}; ${board.piles.get(-1).ids.length.toLocaleString("en")} are unsure.`);
    });
  }
  // Live: the counts for every setting are fetched once and shown in the headers while the dial turns.
  async turn() {
    const { board } = this;
    const turned = ++this.turned;
    this.value.textContent = whole(this.input.value);
    this.counts ??= board.steps.get("dial").catch(() => null);
    const answer = await this.counts;
    if (!answer || turned !== this.turned) return; // turned further or let go meanwhile
    const at = answer.sures.findIndex((sure) => Math.abs(sure - this.input.value) < 0.005);
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
      board.say(`It must be ${whole(sure)} sure; ${board.piles.get(-1).ids.length.toLocaleString("en")} are unsure, ${board.piles.get(-2).ids.length.toLocaleString("en")} none of these.`);
    });
    this.turned++;
    board.preview = null;
    board.draw();
  }
}

