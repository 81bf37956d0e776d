// What the results of measuring are written in: shares, intervals, and tables that scroll by themselves.
import { make } from "../shared/parts.js";

// Never 100.0 for less than all.
export const points = (share) => `${(share < 1 ? Math.min(99.9, 100 * share) : 100).toFixed(1)} %`;

export const between = ([low, high]) => `${points(low)} to ${points(high)}`;

export const wide = (label, table) => make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": label }, table);

// Rows of texts or elements, the first of each heading its row.
export function table(label, head, rows, kind = null) {
  const heads = head.map((text) => make("th", { scope: "col" }, text));
  const body = rows.map(([first, ...cells]) => make("tr", {}, make("th", { scope: "row" }, first), ...cells.map((text) => make("td", {}, text))));
  return wide(label, make("table", { class: kind }, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...body)));
}
