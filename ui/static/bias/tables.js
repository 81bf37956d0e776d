// Tables of shares, and the images behind a cell, blurred until someone asks.
import { make, many, thumbnail } from "../shared/parts.js";
import { button } from "./form.js";
import { points, wide } from "../measure/tables.js";

const SURE = 0.05;
const PAGE = 24; // images at a time, as in ui/bias/routes.py

const small = (p) => (p < 0.001 ? "p < 0.001" : `p = ${p.toPrecision(2)}`);

export function head(groups, first = "") {
  const one = ({ name, n, small, why }) => make("th", { scope: "col", class: small ? "small" : null, title: why || null }, name, make("small", {}, small ? `${n.toLocaleString("en")}, too few` : n.toLocaleString("en")));
  return make("thead", {}, make("tr", {}, first ? make("th", { scope: "col" }, first) : make("td"), ...groups.map(one)));
}

// ▲ more and ▼ less after Holm's correction; in brackets after Benjamini and Hochberg's only.
function sign(table, i, j) {
  const [holm, bh, difference] = [table.holm[i][j], table.bh[i][j], table.difference[i][j]];
  if (holm === null || !difference) return ["", ""];
  const [mark, word] = difference > 0 ? ["▲", "more"] : ["▼", "less"];
  if (holm < SURE) return [mark, `${word} than ${table.reference ?? "the others"}, ${small(holm)} after Holm`];
  return bh < SURE ? [`(${mark})`, `perhaps ${word} than ${table.reference ?? "the others"}, ${small(bh)} after Benjamini and Hochberg`] : ["", `no clear difference, ${small(holm)} after Holm`];
}

function cell(table, i, j, open) {
  const { name, small: few, why, n } = table.groups[j];
  const [mark, words] = sign(table, i, j);
  const share = table.share[i][j];
  const title = [
    `${table.rows[i].name}, ${name}: ${table.counts[i][j].toLocaleString("en")} of ${n.toLocaleString("en")}, ${points(share)}`,
    `95 % interval ${points(table.low[i][j])} to ${points(table.high[i][j])}`,
    ...(table.difference[i][j] === null ? [] : [`${(100 * table.difference[i][j]).toFixed(1)} points apart (${(100 * table.difference_low[i][j]).toFixed(1)} to ${(100 * table.difference_high[i][j]).toFixed(1)})`]),
    few ? why : words,
  ].join("; ");
  const inside = [make("b", {}, `${points(share)} ${mark}`), make("small", {}, `${points(table.low[i][j])} – ${points(table.high[i][j])}`)];
  const show = () => open({ label_set: table.label_set, row: table.rows[i].name, kind: table.rows[i].kind, group: name });
  const one = make("td", { class: few ? "small" : null }, table.counts[i][j] ? make("button", { type: "button", title, "aria-label": title, onclick: show }, ...inside) : make("span", { title }, ...inside));
  one.style.setProperty("--share", `${Math.round(100 * share)}%`);
  return one;
}

function grid(rows, label, open) {
  const body = rows.map(([title, table, i, kind]) => make("tr", { class: kind }, make("th", { scope: "row", title }, title), ...table.groups.map((_, j) => cell(table, i, j, open))));
  return wide(label, make("table", { class: "shares" }, head(rows[0][1].groups), make("tbody", {}, ...body)));
}

// Each category by label set, then each label set in full.
export function tables(report, open) {
  const names = [...new Set(report.tables.flatMap((table) => table.rows.filter((row) => row.kind === "category").map((row) => row.name)))];
  const several = report.tables.length > 1;
  const parts = (several ? names : []).map((name) => {
    const rows = report.tables.flatMap((table) => table.rows.flatMap((row, i) => (row.kind === "category" && row.name === name ? [[table.label_set, table, i]] : [])));
    return [make("h4", {}, `${name}, by label set`), grid(rows, name, open)];
  });
  for (const table of report.tables) {
    const rows = table.rows.map((row, i) => [row.name, table, i, row.kind]);
    parts.push([make("h4", {}, table.label_set), grid(rows, table.label_set, open)]);
  }
  const { design } = report;
  const how = `How much of each group got a class, and where the truth likely lies. ▲ is more and ▼ less than ${design.reference ? `“${design.reference}”` : "all other images"}, beyond chance. In brackets it may be chance. Groups of fewer than ${design.small} images are in italics and not tested. Choose a cell to see its images.`;
  const few = report.tables[0].groups.filter((one) => one.small).map((one) => `${one.name}: ${one.why}`);
  return make("section", { class: "block", "aria-label": "Who gets which label" }, make("h3", {}, `Who gets which label, by ${design.by.join(" and ")}`), make("p", { class: "note" }, how), ...parts.flat(), ...(few.length ? [make("details", {}, make("summary", {}, `${many(few.length, "small group")}`), make("ul", { class: "limits" }, ...few.map((words) => make("li", {}, words))))] : []));
}

// A list of images that is blurred until asked for; `more` fetches the next ones.
export class Images {
  constructor(viewer) {
    this.viewer = viewer;
    this.title = make("h4", { role: "status" });
    this.blur = button("Show the images", () => this.clear(!this.shown));
    this.cards = make("div", { class: "cards wide" });
    this.next = make("button", { type: "button", class: "more" }, "Show more");
    this.node = make("div", { hidden: "" }, make("div", { class: "tools" }, this.title, this.blur), this.cards, this.next);
  }
  clear(shown) {
    this.shown = shown;
    this.cards.classList.toggle("blurred", !shown);
    this.blur.textContent = shown ? "Blur the images" : "Show the images";
  }
  draw(title, { images, total }, fetchMore) {
    this.node.hidden = false;
    this.items = [];
    this.cards.replaceChildren();
    this.clear(false);
    this.title.textContent = `${title}: ${many(total ?? 0, "image")}`;
    this.blur.hidden = !total;
    this.append(images, total);
    this.next.onclick = async () => {
      const more = await fetchMore(this.offset);
      this.append(more.images, total);
    };
  }
  append(images, total) {
    for (const image of images) {
      const at = this.items.push(image) - 1;
      const words = image.slice(3).join(" ");
      const card = make("button", { type: "button", class: "card", "aria-label": `${image[2]}: ${words}`, onclick: () => this.press(card, at) }, thumbnail(image), make("span", { title: words }, words));
      this.cards.append(card);
    }
    this.offset = (this.items.length === images.length ? 0 : this.offset) + PAGE;
    this.next.hidden = this.offset >= total || !images.length;
  }
  press(card, at) {
    if (this.shown || card.classList.contains("clear")) this.viewer.open(this.items, at);
    else card.classList.add("clear");
  }
}
