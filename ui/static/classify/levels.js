// Trees of labels on the board: `animal > dog` is a dog, and a dog is an animal. Columns of a chosen level join the labels below;
// there a picture also stands whose label is unsure, while its upper level is not.
import { make } from "../shared/parts.js";

const BETWEEN = " > "; // as in clipcore.classify.tree
const JOINED = 100000; // and on: numbers of columns that join labels

export const isJoined = (code) => code >= JOINED;
export const leaf = (name) => name.split(BETWEEN).at(-1);
const above = (name, level) => name.split(BETWEEN).slice(0, level).join(BETWEEN);

export class Levels {
  // changed() is called when another level was chosen
  constructor(changed) {
    this.level = 0; // the labels themselves
    this.choice = make("select", { "aria-label": "Columns by level", title: "Which level of the tree the columns show", onchange: () => ((this.level = Number(this.choice.value)), changed()) });
    this.choice.hidden = true;
  }
  draw(labels) {
    const deepest = Math.max(...labels.map((label) => label.split(BETWEEN).length));
    if (this.level >= deepest) this.level = 0;
    this.labels = labels;
    this.choice.hidden = deepest < 2;
    const option = (level) => make("option", { value: level }, level ? (level === 1 ? "Top level" : `Level ${level}`) : "Lowest level");
    this.choice.replaceChildren(...[0, ...Array.from({ length: deepest - 1 }, (_, i) => i + 1)].map(option));
    this.choice.value = this.level;
    this.names = this.level ? [...new Set(labels.map((label) => above(label, this.level)))] : [];
  }
  // The columns of the classes: [[number, name]].
  columns() {
    return this.level ? this.names.map((name, i) => [JOINED + i, name]) : [...this.labels.entries()];
  }
  // The column of a place; `upper` is the name above that a picture without a label has, if it has one.
  column(code, upper) {
    if (!this.level) return code;
    const name = code >= 0 ? this.labels[code] : upper;
    const at = name ? this.names.indexOf(above(name, this.level)) : -1;
    return at < 0 ? code : JOINED + at;
  }
  // What a column is called: by its own name, where no other has the same.
  short(name) {
    const names = this.columns().map(([, other]) => leaf(other));
    return names.filter((other) => other === leaf(name)).length > 1 ? name : leaf(name);
  }
}
