// <sayso-report src="/api/reports/7">: what was measured, with every figure leading to its images.
import { captions, labels, prompts, robustness, suite } from "./bench.js";
import { between, points, table, wide } from "./tables.js";
import "../shared/map.js";
import { Fetched, Viewer, getJSON, make, many, moment, thumbnail } from "../shared/parts.js";

const MOST_CLASSES = 40; // of a matrix that is drawn whole; beyond, the pairs that are confused most
const MOST_PAIRS = 40;
const RATES = "Recall: how many of a class were found. Precision: how many answers were right. F1 joins the two; 1 is perfect.";
const FIRST_IMAGES = 24;
const FIRST_CLASSES = 12; // rows of the table of classes before it is asked for more

const cell = (tag, text, attributes = {}) => make(tag, attributes, text);

class Report extends Fetched {
  constructor() {
    super("measure/measure");
    this.viewer = new Viewer(this.root, (item) => this.explain(item), (item) => this.address(item, "preview"));
  }

  draw(report, src) {
    this.report = report;
    this.src = src;
    this.pictures = make("section", { class: "pictures", "aria-live": "polite" });
    const parts = {
      accuracy: () => this.accuracy(),
      compare: () => this.comparison(),
      models: () => this.models(),
      prompts: () => prompts(this),
      robustness: () => robustness(this),
      captions: () => captions(this),
      suite: () => suite(this),
      labels: () => labels(this),
    };
    this.body.replaceChildren(this.headline(), ...this.notes(), ...parts[report.kind]());
  }

  headline() {
    const { name, about, created } = this.report;
    const facts = Object.entries(about).map(([key, value]) => `${key}: ${value}`);
    const link = (file, text) => make("a", { href: `${this.src}/${file}`, download: file }, text);
    return make(
      "header",
      { class: "headline" },
      make("div", { role: "status" }, make("h2", {}, name), make("p", { class: "note" }, [...facts, moment(created)].join(" · "))),
      make("nav", { "aria-label": "Downloads" }, ...(this.report.html ? [link("report.html", "HTML report")] : []), link("report.json", "JSON")),
    );
  }

  notes() {
    return this.report.notes.map((note) => make("p", { class: "warning" }, note));
  }

  // Where a picture is: the library's own by id and content, one of another set by the result and its row.
  address([id, content], size) {
    return content === "set" ? `${this.src}/pictures/${id}/${size}.webp` : `/${size}/${id}/${content}.webp`;
  }

  numbers(rows) {
    const one = ([name, value, words]) => make("div", {}, make("dt", {}, name), make("dd", {}, value), make("dd", { class: "interval" }, words));
    return make("dl", { class: "numbers" }, ...rows.map(one));
  }

  accuracy() {
    const { top1, interval, top5, top5_interval, mean_per_class_recall, recall_interval, n, reliability, coverage, labels, support } = this.report;
    const half = coverage.accuracy[coverage.share.findIndex((share) => share >= 0.5)];
    const rows = [
      ["Right at once (top-1)", points(top1), between(interval)],
      ["Right among five (top-5)", points(top5), between(top5_interval)],
      ["Mean recall of a class", points(mean_per_class_recall), between(recall_interval)],
      ["Calibration error", reliability.error.toFixed(3), "0 is best"],
      ["Surest half", points(half), "right, if the rest gets no answer"],
    ];
    if (labels.length <= 5) rows.splice(1, 1); // among five of five, everything is right
    const words = `${many(n, "image")} of ${Object.keys(support).length} classes. Ranges are 95 % intervals: so far chance alone could have moved the figure.`;
    return [this.numbers(rows), make("p", { class: "note" }, words), this.matrix(), this.pictures, ...this.map(), this.plots(), this.classes()];
  }

  // Where the mistakes lie: asked for, because the map may have to be laid out first.
  map() {
    if (!this.report.mapped) return [];
    const show = make("button", { type: "button", class: "more" }, "Show the mistakes on the map");
    const section = make("section", { class: "on-map" }, show);
    show.onclick = () => {
      const map = make("sayso-map");
      map.host = {
        canChoose: false,
        kinds: () => [["mistake", "Mistakes"], ["truth", "What they are"], ["answer", "Answers"]],
        url: (by) => `${this.src}/map?by=${by || "mistake"}`,
        has: () => false,
        choose: () => {},
        toggle: () => {},
        clear: () => {},
        describe: (card, group) => [make("p", { class: "note" }, group)],
      };
      section.replaceChildren(make("h3", {}, "On the map"), make("p", { class: "note" }, "Mistakes that lie together have one cause. Pale points are other photos of the library."), map);
      map.load();
    };
    return [section];
  }

  matrix() {
    const { confusion } = this.report;
    const labels = [...new Set(confusion.flatMap(([truth, guess]) => [truth, guess]))].sort((a, b) => a.localeCompare(b));
    const wrong = make("button", { type: "button", class: "more", onclick: () => this.show("The surest mistakes", "") }, "Show the surest mistakes");
    if (labels.length > MOST_CLASSES) return make("section", {}, make("h3", {}, "Confused most often"), this.pairs(confusion), wrong);
    const times = new Map(confusion.map(([truth, guess, n]) => [JSON.stringify([truth, guess]), n]));
    const head = make("tr", {}, make("td"), ...labels.map((label) => make("th", { scope: "col" }, make("span", { title: label }, label))));
    const rows = labels.map((truth) => {
      const counts = labels.map((guess) => times.get(JSON.stringify([truth, guess])) ?? 0);
      const total = counts.reduce((a, b) => a + b, 0) || 1;
      return make("tr", {}, make("th", { scope: "row", title: truth }, truth), ...counts.map((n, i) => this.count(truth, labels[i], n, n / total)));
    });
    const table = make("table", { class: "matrix" }, make("thead", {}, head), make("tbody", {}, ...rows));
    const words = "A row is what the images are, a column what they were called. Choose a number to see its images.";
    return make("section", {}, make("h3", {}, "Confusion matrix"), make("p", { class: "note" }, words), wide("Confusion matrix", table), wrong);
  }

  count(truth, guess, n, share) {
    if (!n) return make("td");
    const name = `${many(n, "image")} of ${truth} called ${guess}`;
    const query = `?truth=${encodeURIComponent(truth)}&guess=${encodeURIComponent(guess)}`;
    const title = truth === guess ? `${truth}, called so` : `${truth}, called ${guess}`;
    const button = make("button", { type: "button", "aria-label": name, title: name, onclick: () => this.show(title, query) }, n.toLocaleString("en"));
    const one = make("td", { class: truth === guess ? "right" : "wrong" }, button);
    one.style.setProperty("--share", `${Math.round(100 * share)}%`);
    return one;
  }

  // Too many classes for a matrix: what is confused most, and any other cell by name.
  pairs(confusion) {
    const wrong = confusion.filter(([truth, guess]) => truth !== guess).sort((a, b) => b[2] - a[2]).slice(0, MOST_PAIRS);
    const query = (truth, guess) => `?truth=${encodeURIComponent(truth)}&guess=${encodeURIComponent(guess)}`;
    const one = ([truth, guess, n]) =>
      make("li", {}, make("button", { type: "button", title: `${many(n, "image")} of ${truth} called ${guess}`, onclick: () => this.show(`${truth}, called ${guess}`, query(truth, guess)) }, make("span", {}, `${truth} → ${guess}`), make("b", {}, n.toLocaleString("en"))));
    const names = [...this.report.labels].sort((a, b) => a.localeCompare(b));
    const list = (label) => make("select", { "aria-label": label }, ...names.map((name) => make("option", {}, name)));
    const [is, called] = [list("What the images are"), list("What they were called")];
    const show = make("button", { type: "button", class: "more", onclick: () => this.show(`${is.value}, called ${called.value}`, query(is.value, called.value)) }, "Show these");
    return make("div", {}, make("p", { class: "note" }, "What the images are → what they were called. Choose one to see its images."), make("ol", { class: "pairs" }, ...wrong.map(one)), make("div", { class: "cell-by-name" }, "Any other cell:", is, "called", called, show));
  }

  async show(title, query) {
    try {
      const { total, images } = await getJSON(`${this.src}/images${query}`);
      const ours = images.filter(([, content]) => content);
      const card = (image) => {
        const [, , name, truth, first, second] = image;
        const words = { compare: `${first} → ${second}`, prompts: truth }[this.report.kind] ?? (query ? points(second) : `${truth} → ${first}`);
        const open = () => this.viewer.open(ours, ours.indexOf(image));
        return make("button", { type: "button", class: "card", "aria-label": name, onclick: open }, thumbnail(image, this.address(image, "thumb")), make("span", { title: words }, words));
      };
      const named = images.filter(([, content]) => !content).map(([, , name, truth, ...said]) => make("li", {}, make("b", {}, name), ` ${this.words(truth, said)}`));
      const more = total > images.length ? `, the first ${images.length}` : "";
      const cards = make("div", { class: "cards wide" }, ...ours.slice(0, FIRST_IMAGES).map(card));
      const rest = make("button", { type: "button", class: "more" }, `Show ${ours.length - FIRST_IMAGES} more`);
      rest.hidden = ours.length <= FIRST_IMAGES;
      rest.onclick = () => {
        cards.append(...ours.slice(FIRST_IMAGES).map(card));
        rest.hidden = true;
      };
      this.pictures.replaceChildren(make("h3", {}, `${title}: ${many(total, "image")}${more}`), cards, rest);
      if (named.length) this.pictures.append(make("ul", { class: "names" }, ...named));
      this.pictures.scrollIntoView({ block: "nearest" });
    } catch (error) {
      this.pictures.replaceChildren(make("p", { class: "problem", role: "alert" }, error.message));
    }
  }

  words(truth, said) {
    if (this.report.kind === "prompts") return `called ${truth}, by the wording`;
    return this.report.kind === "compare" ? `is ${truth}; first ${said[0]}, then ${said[1]}` : `is ${truth}, called ${said[0]}, confidence ${points(said[1])}`;
  }

  explain([, , , truth, ...said]) {
    return [make("p", {}, this.words(truth, said))];
  }

  plots(size = "") {
    const figures = this.report.plots.map(({ name, title, words }) => {
      const link = (query, text) => make("a", { href: `${this.src}/plots/${name}${query}`, download: `${name}${query.slice(0, 4)}` }, text);
      const plot = make("div", { class: "plot", tabindex: "0", role: "region", "aria-label": title }); // it scrolls where it is wider than a phone
      const figure = make("figure", {}, make("h3", {}, title), make("p", { class: "note" }, words), plot, make("figcaption", {}, link(".svg?alone=true", "SVG"), link(".png", "PNG")));
      fetch(`${this.src}/plots/${name}.svg`)
        .then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error("The plot could not be drawn."))))
        .then((text) => plot.append(document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true)))
        .catch((error) => plot.append(make("p", { class: "note" }, error.message)));
      return figure;
    });
    return make("div", { class: `plots ${size}` }, ...figures);
  }

  classes() {
    const { classes } = this.report;
    const row = ({ label, support, recall, interval, precision, f1, taken_for, times }) =>
      make(
        "tr",
        {},
        cell("th", label, { scope: "row" }),
        ...[support.toLocaleString("en"), points(recall), between(interval), precision === null ? "–" : points(precision), f1.toFixed(2)].map((text) => cell("td", text)),
        make("td", {}, taken_for ? `${taken_for} (${times})` : ""),
      );
    const head = ["class", "images", "recall", "95 % interval", "precision", "F1", "taken for"];
    const body = make("tbody", {}, ...classes.slice(0, FIRST_CLASSES).map(row));
    const table = make("table", {}, make("thead", {}, make("tr", {}, ...head.map((name) => cell("th", name, { scope: "col" })))), body);
    const more = make("button", { type: "button", class: "more" }, `Show all ${classes.length} classes`);
    more.hidden = classes.length <= FIRST_CLASSES;
    more.onclick = () => {
      body.append(...classes.slice(FIRST_CLASSES).map(row));
      more.hidden = true;
    };
    return make("section", {}, make("h3", {}, "Classes, the worst first"), make("p", { class: "note" }, RATES), wide("Classes", table), more);
  }

  comparison() {
    const { names, accuracy, intervals, sentence, gained, lost, moved } = this.report;
    const kinds = [["lost", "Right before, wrong now", lost], ["gained", "Wrong before, right now", gained], ["moved", "Wrong both times, in another way", moved]];
    const buttons = kinds.map(([kind, title, n]) => {
      const button = make("button", { type: "button", class: "more", onclick: () => this.show(title, `?change=${kind}`) }, `${title}: ${n.toLocaleString("en")}`);
      button.disabled = !n;
      return button;
    });
    return [
      make("p", { class: "verdict" }, sentence),
      make("p", { class: "note" }, "p tells how often chance alone would differ as much. Below 0.05 is rare."),
      this.numbers(names.map((name, i) => [`${["First", "Second"][i]}: ${name}`, points(accuracy[i]), between(intervals[i])])),
      make("div", { class: "kinds" }, ...buttons),
      this.pictures,
      this.plots(),
    ];
  }

  models() {
    const head = ["model", "accuracy", "95 % interval", "images/s", "operations an image, bn", "weights", "in use"];
    const mb = (value) => (value === null ? "–" : `${Math.round(value).toLocaleString("en")} MB`);
    const rows = this.report.rows.map((row) => [row.name, points(row.accuracy), between(row.interval), `${Math.round(row.per_second).toLocaleString("en")} (${row.device})`, row.gflops.toFixed(2), mb(row.megabytes), mb(row.memory)]);
    const words = "Speed counts from the file on. Operations are in billions (bn). Memory is what loading and reading added at the most. Each model has a report in Accuracy, so that two can be compared.";
    return [table("Models", head, rows), make("p", { class: "note" }, words), this.plots()];
  }
}

customElements.define("sayso-report", Report);
