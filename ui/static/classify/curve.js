// A reliability curve: how often an answer of a given confidence is right. On the dashed line it is as often as it says.
import { make, percent } from "../shared/parts.js";

const SIDE = 220, LEFT = 44, TOP = 8;
const svg = (tag, attributes, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};
const x = (share) => LEFT + share * SIDE;
const y = (share) => TOP + (1 - share) * SIDE;

// curve: {confidence, accuracy, counts, error, chance, debiased}, bins that are not empty; older classifiers have not the last two
export function reliability({ confidence, accuracy, counts, error, chance, debiased }) {
  const points = confidence.map((at, n) => [at, accuracy[n], counts[n]]);
  const most = Math.max(...counts);
  const grid = [0, 0.5, 1].flatMap((share) => [
    svg("line", { x1: x(0), x2: x(1), y1: y(share), y2: y(share) }),
    svg("text", { x: LEFT - 6, y: y(share) + 4, "text-anchor": "end" }, `${100 * share} %`),
    svg("text", { x: x(share), y: y(0) + 16, "text-anchor": share === 0 ? "start" : share === 1 ? "end" : "middle" }, `${100 * share} %`),
  ]);
  const ideal = svg("line", { class: "ideal", x1: x(0), x2: x(1), y1: y(0), y2: y(1) });
  const line = svg("polyline", { points: points.map(([at, right]) => `${x(at)},${y(right)}`).join(" ") });
  const dots = points.map(([at, right, count]) => svg("circle", { cx: x(at), cy: y(right), r: 2 + 4 * Math.sqrt(count / most) }));
  const words = points.map(([at, right, count]) => `${percent(at)} sure: ${percent(right)} right of ${count}`).join("; ");
  const drawing = svg("svg", { viewBox: `0 0 ${LEFT + SIDE + 8} ${TOP + SIDE + 22}`, role: "img", "aria-label": words }, ...grid, ideal, line, ...dots);
  const few = chance === undefined ? "" : ` So few images would show about ${percent(chance)} by chance alone.`;
  const rest = debiased === undefined ? "" : debiased > 0 ? ` Without chance it is about ${percent(debiased)}.` : " That is no more than chance explains.";
  const told = `To the right: how sure it is. Upwards: how often it is right, on images it had not seen. It is off by ${percent(error)} on average.${few}${rest}`;
  return make("figure", { class: "curve" }, make("h4", {}, "Is it right as often as it says?"), drawing, make("figcaption", { class: "note" }, told));
}
