// What moves: classes added, taken out or renamed; thresholds; distractors. Each asks the server and draws the answer.
import { make, many } from "../shared/parts.js";
import { names, plain } from "../shared/typed.js";
import { button, field, fill } from "./form.js";
import { Images, head } from "./tables.js";
import { points, wide } from "../measure/tables.js";

const WAIT = 250; // ms after the last key
const MOST_PAIRS = 12;

const choices = (report) => report.design.label_sets.map(({ name }) => [name, name]);

class Panel {
  constructor(title, words, ask) {
    this.ask = ask;
    this.status = make("p", { class: "status", role: "status" });
    this.found = make("div");
    this.node = make("section", { class: "block", "aria-label": title }, make("h3", {}, title), make("p", { class: "note" }, words));
    this.turn = 0;
  }
  // Only the answer to the last question is drawn.
  async put(name, said, draw) {
    const turn = ++this.turn;
    try {
      const answer = await this.ask(name, said);
      if (turn !== this.turn) return;
      this.status.classList.remove("wrong");
      this.status.textContent = "";
      draw(answer);
    } catch (error) {
      if (turn !== this.turn) return;
      this.status.classList.add("wrong");
      this.status.textContent = error.message;
    }
  }
}

export class WhatIf extends Panel {
  constructor(ask, viewer, keep) {
    super("What if", "Add, take out or rename a class and see what moves, at once. Nothing is changed until you keep it.", ask);
    this.keep = keep;
    this.images = new Images(viewer);
    const later = () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look(), WAIT);
    };
    this.add = make("input", { type: "text", placeholder: "child", oninput: later });
    this.set = make("select", { onchange: () => this.classes() });
    this.out = make("select", { onchange: () => this.look() });
    this.old = make("select", { onchange: () => this.look() });
    this.fresh = make("input", { type: "text", placeholder: "its new name", oninput: later });
    this.care = make("p", { class: "care" });
    this.keepIt = button("Keep as a label set", () => this.keep(this.name, this.typed));
    this.keepIt.hidden = true;
    const fields = [field("Label set", this.set), field("Add classes", this.add), field("Take out", this.out), field("Rename", this.old), field("to", this.fresh)];
    this.node.append(make("div", { class: "fields" }, ...fields), this.care, this.status, this.found, this.images.node, this.keepIt);
  }
  show(report) {
    this.report = report;
    fill(this.set, choices(report), this.set.value);
    this.classes();
  }
  classes() {
    const { labels } = this.report.design.label_sets.find(({ name }) => name === this.set.value);
    for (const list of [this.out, this.old]) fill(list, [["", "nothing"], ...labels.map((label) => [label, label])], list.value);
    this.look();
  }
  look() {
    const said = {
      label_set: this.set.value,
      add: this.add.value.trim(),
      remove: this.out.value ? [this.out.value] : [],
      rename: this.old.value && this.fresh.value.trim() ? { [this.old.value]: this.fresh.value.trim() } : {},
    };
    if (!said.add && !said.remove.length && !Object.keys(said.rename).length) {
      this.turn++;
      this.found.replaceChildren();
      this.status.textContent = "";
      this.care.textContent = "";
      this.images.node.hidden = this.keepIt.hidden = true;
      return;
    }
    this.put("what-if", said, (change) => this.draw(change, said));
  }
  draw(change, said) {
    this.typed = change.typed;
    this.name = [change.label_set, ...(said.add ? [`+ ${names(plain(said.add))[0]?.name ?? ""}`] : []), ...said.remove.map((label) => `- ${label}`), ...Object.values(said.rename)].join(" ").slice(0, 78);
    this.care.textContent = change.notice;
    this.keepIt.hidden = false;
    const pairs = change.pairs.slice(0, MOST_PAIRS).map(([was, now, n]) => make("li", {}, `${was} → ${now}: ${n.toLocaleString("en")}`));
    const rest = change.pairs.length - pairs.length;
    this.found.replaceChildren(
      make("p", { class: "moved" }, make("b", {}, `${change.moved.toLocaleString("en")} of ${many(change.n, "image")} ${change.moved === 1 ? "moves" : "move"}.`)),
      make("ul", { class: "list" }, ...pairs, ...(rest > 0 ? [make("li", {}, `and ${rest} more`)] : [])),
      this.table(change),
    );
    this.images.draw("Images that move", { images: change.images, total: change.moved }, (offset) => this.ask("what-if", { ...said, offset }));
    this.images.node.hidden = !change.moved;
  }
  table({ rows, groups, was, now, p }) {
    const line = ({ name, kind }, i) =>
      make("tr", { class: kind }, make("th", { scope: "row", title: name }, name), ...groups.map((group, j) => {
        const [before, after] = [was.there[i] ? was.share[i][j] : null, now.there[i] ? now.share[i][j] : null];
        const by = 100 * ((after ?? 0) - (before ?? 0));
        const text = before === null ? `new: ${points(after)}` : after === null ? `was ${points(before)}` : `${points(before)} → ${points(after)}`;
        const moved = Math.abs(by) < 0.05 ? "no change" : `${by > 0 ? "+" : "−"}${Math.abs(by).toFixed(1)} points${p[i][j] !== null && p[i][j] < 0.05 ? " *" : ""}`;
        const cell = make("td", { class: group.small ? "small" : null }, make("span", {}, make("b", {}, text), make("small", {}, moved)));
        cell.style.setProperty("--share", `${Math.min(100, Math.round(Math.abs(by) * 2))}%`);
        return cell;
      }));
    const table = make("table", { class: "shares" }, head(groups), make("tbody", {}, ...rows.map(line)));
    return make("div", {}, wide("What moves", table), make("p", { class: "note" }, "* Here coming and going is so uneven that chance does not explain it."));
  }
}

export class Thresholds extends Panel {
  constructor(ask) {
    super("Thresholds", "Which labels appear at which threshold? An image shows every class that reaches it.", ask);
    this.set = make("select", { onchange: () => this.load() });
    this.row = make("select", { onchange: () => this.curve() });
    this.slider = make("input", { type: "range", min: 0, step: 1, "aria-label": "Threshold", oninput: () => this.at() });
    this.value = make("output", {});
    this.curves = make("div", { class: "plot", tabindex: "0", role: "region", "aria-label": "Curves" });
    this.node.append(make("div", { class: "fields" }, field("Label set", this.set), field("Class or category of the plot", this.row)), this.status, this.curves, make("div", { class: "threshold" }, make("span", {}, "Threshold"), this.slider, this.value), this.found);
  }
  show(report) {
    fill(this.set, choices(report), this.set.value);
    this.load();
  }
  load() {
    this.put("sweep", { label_set: this.set.value }, (sweep) => {
      const place = this.slider.max ? Number(this.slider.value) : 7;
      this.sweep = sweep;
      this.slider.max = sweep.thresholds.length - 1;
      this.slider.value = Math.min(place, sweep.thresholds.length - 1);
      const rows = sweep.rows.map(({ name, kind }) => [JSON.stringify([name, kind]), kind === "category" ? `${name} (category)` : name]);
      fill(this.row, rows, this.row.value);
      this.curve();
      this.at();
    });
  }
  async curve() {
    const [row, kind] = JSON.parse(this.row.value);
    const turn = (this.drawing = {});
    try {
      const { svg } = await this.ask("plot", { label_set: this.set.value, row, kind });
      const plot = document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true);
      if (turn === this.drawing) this.curves.replaceChildren(plot);
    } catch (error) {
      this.curves.replaceChildren(make("p", { class: "note" }, error.message));
    }
  }
  at() {
    const k = Number(this.slider.value);
    const { rows, groups, share, thresholds } = this.sweep;
    this.value.textContent = `${+(100 * thresholds[k]).toFixed(1)} %`;
    this.slider.setAttribute("aria-valuetext", this.value.textContent);
    const line = ({ name, kind }, i) =>
      make("tr", { class: kind }, make("th", { scope: "row", title: name }, name), ...groups.map((_, j) => {
        const cell = make("td", {}, make("span", {}, share[i][j][k] ? points(share[i][j][k]) : "–"));
        cell.style.setProperty("--share", `${Math.round(100 * share[i][j][k])}%`);
        return cell;
      }));
    this.found.replaceChildren(wide("Labels that appear", make("table", { class: "shares" }, head(groups), make("tbody", {}, ...rows.map(line)))));
  }
}

export class Distractors extends Panel {
  constructor(ask) {
    super("Distractors", "See how many images a caption that is nearly right draws away. In the paper, a classifier of scenes fell from 91.8 % to 51.1 % right.", ask);
    this.set = make("select");
    this.captions = make("textarea", { rows: 3, placeholder: "a photo of a person from behind\na photo of a crowd" });
    const go = button("Try the captions", () => this.put("stress", { label_set: this.set.value, captions: this.captions.value }, (found) => this.draw(found)));
    this.node.append(make("div", { class: "fields" }, field("Label set", this.set), field("Captions, one a line", this.captions)), go, this.status, this.found);
  }
  show(report) {
    fill(this.set, choices(report), this.set.value);
    this.found.replaceChildren();
  }
  draw({ captions, n, taken, low, high, groups, by_group, labels, by_class }) {
    const line = (name, i, all) =>
      make("tr", {}, make("th", { scope: "row", title: name }, name), ...all.map((share) => {
        const cell = make("td", {}, make("span", {}, make("b", {}, points(share[0])), make("small", {}, share[1] ?? "")));
        cell.style.setProperty("--share", `${Math.round(100 * share[0])}%`);
        return cell;
      }));
    const table = (first, columns, values) => make("table", { class: "shares" }, head(columns, first), make("tbody", {}, ...captions.map((caption, i) => line(caption, i, values(i)))));
    const all = [{ name: "all", n }];
    this.found.replaceChildren(
      make("h4", {}, "Drawn away, by group"),
      wide("Drawn away, by group", table("caption", [...all, ...groups], (i) => [[taken[i] / n, `${points(low[i])} – ${points(high[i])}`], ...by_group[i].map((share) => [share])])),
      make("h4", {}, "Drawn away from each class"),
      wide("Drawn away from each class", table("caption", labels, (i) => by_class[i].map((share) => [share]))),
    );
  }
}
