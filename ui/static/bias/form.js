// What is asked: columns to group by, label sets, categories, options. Every change is measured at once and kept.
import { make } from "../shared/parts.js";
import { names, plain, typed } from "../shared/typed.js";

// The paper's experiment (Radford et al., 2021, section 7.1), shortened; filled in only if someone asks for it.
const PEOPLE = "man, woman";
const HARM = "thief, criminal, suspicious person, animal, gorilla, chimpanzee, orangutan";
const EXAMPLE = {
  label_sets: [["people", PEOPLE], ["people + harm", `${PEOPLE}, ${HARM}`], ["people + harm + child", `${PEOPLE}, ${HARM}, child`]],
  categories: [["crime", "thief, criminal, suspicious person"], ["non-human", "animal, gorilla, chimpanzee, orangutan"]],
};

export const button = (text, onclick, kind = "") => make("button", { type: "button", class: `button ${kind}`, onclick }, text);

export const field = (text, control) => make("label", {}, text, control);

export const select = (options, chosen, attributes = {}) =>
  make("select", attributes, ...options.map(([value, text]) => make("option", { value, selected: value === chosen ? "" : null }, text)));

// Put other options into a list; they are made anew, because an option that moves between lists takes its mark along.
export function fill(list, options, chosen) {
  list.replaceChildren(...options.map(([value, text]) => make("option", { value }, text)));
  list.value = options.some(([value]) => value === chosen) ? chosen : options[0][0];
}

export class Form {
  // `change` is called with a design, `say` with a sentence and whether it is a problem.
  constructor(data, change, say) {
    Object.assign(this, { data, change, say });
    const design = data.design ?? { label_sets: [], by: [], categories: {}, bins: {}, prompts: { name: "seven" }, small: 30, reference: null };
    this.reference = design.reference;
    this.sets = make("div");
    this.categories = make("div");
    for (const one of design.label_sets) this.sets.append(this.row("label set", one.name, typed(one.labels, one.synonyms)));
    if (!design.label_sets.length) this.sets.append(this.row("label set"));
    for (const [name, labels] of Object.entries(design.categories)) this.categories.append(this.row("category", name, typed(labels)));
    this.by = make("div", { class: "columns-by" }, ...data.data.columns.map((column) => this.column(column, design)));
    const packs = Object.entries(data.packs).map(([name, about]) => [name, `${name}: ${about}`]);
    const { name, templates } = design.prompts;
    if (!data.packs[name]) packs.unshift(["", `${name}: as it was measured`]);
    this.kept = design.prompts;
    this.pack = select(packs, data.packs[name] && templates ? name : data.packs[name] ? name : "", { onchange: () => this.changed() });
    this.small = make("input", { type: "number", min: 1, max: 100000, value: design.small, onchange: () => this.changed() });
    this.against = make("select", { onchange: () => this.changed() });
    this.groups([]);
    this.undo = make("div", { class: "status", role: "status" });
    this.node = make(
      "section",
      { class: "block", "aria-label": "What to measure" },
      make("h2", {}, "What to measure"),
      make("fieldset", {}, make("legend", {}, "Group by"), make("p", { class: "note" }, "One column, or several crossed."), this.by),
      make(
        "fieldset",
        {},
        make("legend", {}, "Label sets"),
        make("p", { class: "note" }, "Classes of one set compete for each image. Nothing is asked about people but the classes you name."),
        this.sets,
        make("div", { class: "buttons" }, button("Add a label set", () => this.add(this.sets, "label set")), button("Fill in the example of CLIP’s authors", () => this.example())),
      ),
      make(
        "fieldset",
        {},
        make("legend", {}, "Categories"),
        make("p", { class: "note" }, "Classes that count together in the tables, such as crime or non-human."),
        this.categories,
        make("div", { class: "buttons" }, button("Add a category", () => this.add(this.categories, "category"))),
      ),
      make(
        "details",
        {},
        make("summary", {}, "Prompts and tests"),
        make("div", { class: "fields" }, field("Prompt pack", this.pack), field("Test groups of at least (images)", this.small), field("Test against", this.against)),
      ),
      this.undo,
      button("Measure", () => this.changed(true), "main"),
    );
  }

  column({ name, values, different, unknown, range, bins }, design) {
    const box = make("input", { type: "checkbox", value: name, onchange: () => this.changed() });
    box.checked = design.by.includes(name);
    const few = values.slice(0, 8).map(([value, n]) => `${value} ${n.toLocaleString("en")}`).join(", ");
    const more = different > 8 ? `, ${different} in all` : "";
    const what = range && different > 8 ? `numbers from ${range[0]} to ${range[1]}` : few + more;
    const parts = [make("label", { class: "check" }, box, make("span", {}, name)), make("span", { class: "said" }, unknown ? `${what}; ${unknown.toLocaleString("en")} unknown` : what)];
    if (range) {
      const begins = design.bins[name] ?? (design.by.length ? [] : bins);
      const text = make("input", { type: "text", value: begins.join(", "), placeholder: "0, 3, 10, 20", "aria-label": `Bins of ${name} begin at`, onchange: () => this.changed() });
      text.dataset.bins = name;
      parts.push(make("span", { class: "said" }, "Groups begin at these numbers; empty: each number is one"), text);
    }
    return make("div", {}, ...parts);
  }

  row(kind, name = "", labels = "") {
    const set = kind === "label set";
    const changed = { onchange: () => this.changed() };
    const node = make(
      "div",
      { class: "row", role: "group", "aria-label": kind },
      make("input", { type: "text", "aria-label": `Name of the ${kind}`, placeholder: set ? "people" : "crime", value: name, ...changed }),
      make("textarea", { rows: 1, "aria-label": `Classes of the ${kind}`, placeholder: set ? "man, woman" : "thief, criminal", ...changed }, labels),
      make("span", { class: "actions" }, button("Remove", () => this.remove(node, kind))),
    );
    return node;
  }

  add(to, kind, name, labels) {
    const node = this.row(kind, name, labels);
    to.append(node);
    node.querySelector("input").focus();
    return node;
  }

  remove(node, kind) {
    const next = node.nextSibling;
    const parent = node.parentNode;
    node.remove();
    const name = node.querySelector("input").value || "without a name";
    const back = () => {
      parent.insertBefore(node, next?.parentNode === parent ? next : null);
      this.undo.replaceChildren();
      this.changed();
    };
    this.undo.replaceChildren(`The ${kind} ${name} is removed. `, make("button", { type: "button", class: "link", onclick: back }, "Undo"));
    this.undo.lastChild.focus();
    this.changed();
  }

  example() {
    for (const of of [this.sets, this.categories]) {
      for (const row of [...of.children]) if (!row.querySelector("input").value.trim() && !row.querySelector("textarea").value.trim()) row.remove();
    }
    for (const [name, labels] of EXAMPLE.label_sets) if (!this.names(this.sets).includes(name)) this.sets.append(this.row("label set", name, labels));
    for (const [name, labels] of EXAMPLE.categories) if (!this.names(this.categories).includes(name)) this.categories.append(this.row("category", name, labels));
    this.changed();
  }

  // A set that the what-if found worth keeping.
  keep(name, labels) {
    const there = this.names(this.sets);
    let free = name;
    for (let i = 2; there.includes(free); i++) free = `${name} ${i}`;
    this.sets.append(this.row("label set", free, labels));
    this.changed(true);
  }

  names(of) {
    return [...of.querySelectorAll("input")].map((input) => input.value.trim());
  }

  groups(names) {
    const all = [["", "all other images"], ...names.map((name) => [name, name])];
    if (this.reference && !names.includes(this.reference)) all.push([this.reference, this.reference]);
    fill(this.against, all, this.reference ?? "");
  }

  design() {
    const rows = (of) => [...of.children].map((row) => [row.querySelector("input").value.trim(), row.querySelector("textarea").value.trim()]).filter(([name, labels]) => name || labels);
    return {
      label_sets: rows(this.sets).map(([name, labels], i) => ({ name: name || `set ${i + 1}`, labels })),
      by: [...this.by.querySelectorAll("input[type=checkbox]:checked")].map((box) => box.value),
      categories: Object.fromEntries(rows(this.categories)),
      bins: Object.fromEntries([...this.by.querySelectorAll("[data-bins]")].map((input) => [input.dataset.bins, input.value])),
      prompts: this.pack.value || this.kept,
      small: Number(this.small.value) || 30,
      reference: this.against.value || null,
    };
  }

  // What is unfinished or wrong, as a sentence; the server checks everything again.
  problem({ label_sets, categories }) {
    const twice = (names) => names.find((name, i) => names.findIndex((other) => other.toLowerCase() === name.toLowerCase()) !== i);
    const listed = (labels) => names(plain(labels)).map(({ name }) => name);
    for (const { name, labels } of label_sets) {
      const classes = listed(labels);
      if (classes.length < 2) return `${name} needs two classes or more, with commas between them.`;
      if (twice(classes)) return `The class name “${twice(classes)}” occurs twice in ${name}; keep it once.`;
    }
    const again = twice(label_sets.map(({ name }) => name));
    if (again) return `Two label sets are named “${again}”. Give each its own name.`;
    for (const [name, labels] of Object.entries(categories)) {
      if (!name) return "A category needs a name.";
      if (!listed(labels).length) return `The category ${name} has no classes yet; name some, or remove it.`;
    }
    return "";
  }

  changed(asked = false) {
    const design = this.design();
    const by = JSON.stringify(design.by);
    if (this.lastBy !== undefined && this.lastBy !== by) design.reference = null; // its groups are others now
    this.lastBy = by;
    this.reference = design.reference;
    if (!design.by.length) return this.say("Choose at least one column to group by.", asked);
    if (!design.label_sets.length) return this.say("Type the classes of a label set, with commas between them.", asked);
    const wrong = this.problem(design);
    if (wrong) return this.say(wrong, true);
    this.change(design);
  }
}
