// <sayso-bias src="/api/bias/7">: who gets which label, by group, and what another class changes. What is asked stands in the
// rail, what came of it in the stage.
import { Fetched, Viewer, getJSON, make, many } from "../shared/parts.js";
import { put } from "../shared/place.js";
import { Form } from "./form.js";
import { Images, tables } from "./tables.js";
import { Distractors, Thresholds, WhatIf } from "./whatif.js";

const SHEETS = ["measure/measure", "bias/bias"];

class Bias extends Fetched {
  constructor() {
    super(...SHEETS);
    this.viewer = new Viewer(this.root, (item) => [make("p", {}, item.slice(3).join(" "))]);
  }

  load(src) {
    put("bias", SHEETS); // it asked about other groups
    return super.load(src);
  }
  draw(report, src) {
    this.src = src;
    this.turn = 0;
    // Asked about the design that is shown, whatever is being typed or measured meanwhile.
    const ask = (name, said) => this.ask(name, { ...said, design: this.design });
    this.status = make("p", { class: "status", role: "status" });
    this.care = make("p", { class: "care" });
    this.form = new Form(report, (design) => this.measure(design), (words, problem) => this.say(words, problem));
    this.found = make("div", {}, make("p", { class: "note" }, "The groups are in. Choose a column and name classes in the panel, then Measure."));
    this.images = new Images(this.viewer);
    this.whatIf = new WhatIf(ask, this.viewer, (name, labels) => this.form.keep(name, labels));
    this.thresholds = new Thresholds(ask);
    this.distractors = new Distractors(ask);
    const pictures = make("section", { class: "block", "aria-label": "Images of a cell", hidden: "" }, this.images.node);
    this.pictures = pictures;
    this.later = make("div", { hidden: "" }, pictures, this.whatIf.node, this.thresholds.node, this.distractors.node);
    const limits = make("details", { class: "block" }, make("summary", {}, "What this cannot show"), make("ul", { class: "limits" }, ...report.limits.map((words) => make("li", {}, words))));
    this.header = make("header", { class: "headline" });
    const notes = [...(report.notes ?? []), ...report.data.notes].map((note) => make("p", { class: "note" }, note));
    put("bias", SHEETS, this.form.node, this.status);
    this.body.replaceChildren(this.header, ...notes, this.care, this.found, this.later, limits);
    this.head(report);
    if (report.tables) this.show(report);
  }

  head(report) {
    const link = (file, text) => make("a", { href: `${this.src}/${file}`, download: file }, text);
    const about = [many(report.data.n, "image"), ...(report.model ? [`model ${report.model.name}`] : []), `${report.data.columns.length} columns`].join(" · ");
    const links = report.tables ? [make("nav", { "aria-label": "Downloads" }, link("report.html", "HTML report"), link("report.json", "JSON"))] : [];
    this.header.replaceChildren(make("div", { role: "status" }, make("h2", {}, report.name ?? ""), make("p", { class: "note" }, about)), ...links);
  }

  say(words, problem = false) {
    this.status.classList.toggle("wrong", problem);
    this.status.textContent = words;
  }

  ask(name, said) {
    return getJSON(`${this.src}/${name}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(said) });
  }

  async measure(design) {
    const turn = ++this.turn;
    this.say("Measuring …");
    try {
      const report = await this.ask("measure", design);
      if (turn !== this.turn) return;
      this.say("Measured and kept.");
      this.head(report);
      this.show(report);
    } catch (error) {
      if (turn === this.turn) this.say(error.message, true);
    }
  }

  show(report) {
    this.design = report.design;
    this.care.textContent = report.notice;
    this.pictures.hidden = true;
    this.form.groups(report.tables[0].groups.filter((one) => !one.small).map((one) => one.name));
    this.found.replaceChildren(tables(report, (cell) => this.open(cell)));
    this.later.hidden = false;
    for (const part of [this.whatIf, this.thresholds, this.distractors]) part.show(report);
  }

  async open(cell) {
    try {
      const asked = { ...cell, design: this.design };
      const found = await this.ask("images", asked);
      this.pictures.hidden = false;
      this.images.draw(`${cell.row}, ${cell.group} (${cell.label_set})`, found, (offset) => this.ask("images", { ...asked, offset }));
      this.pictures.scrollIntoView({ block: "nearest" });
    } catch (error) {
      this.say(error.message, true);
    }
  }
}

customElements.define("sayso-bias", Bias);
