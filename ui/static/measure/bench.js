// Results of trying prompts, of spoilt and shifted pictures, of captions and of many sets. Each is given the element that shows it.
import { make } from "../shared/parts.js";
import { between, points, table } from "./tables.js";

const verdict = (words) => make("p", { class: "verdict" }, words);
const block = (title, ...parts) => make("section", {}, make("h3", {}, title), ...parts);
const signed = (share) => `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(1)}`;

export function prompts(element) {
  const { arms, labelled, sentence, flips, chosen } = element.report;
  const head = ["prompts", "sentences", "labels that change", ...(labelled ? ["accuracy", "95 % interval", "gain in points", "p"] : [])];
  const row = (arm) => {
    const cells = [arm.name, String(arm.templates), points(arm.changed)];
    if (!labelled) return cells;
    const gain = `${signed(arm.gain)} (${signed(arm.gain_interval[0])} to ${signed(arm.gain_interval[1])})`;
    return [...cells, points(arm.accuracy), between(arm.interval), gain, arm.p < 0.001 ? "< 0.001" : arm.p.toPrecision(2)];
  };
  const note = "Random words are there to compare with. What does no better only gains from many sentences.";
  const parts = [verdict(sentence), element.plots(), block("Prompt sets", make("p", { class: "note" }, note), table("Prompt sets", head, arms.map(row)))];
  if (chosen) {
    const rows = chosen.templates.map((template, i) => [template, `${chosen.stability[i]} of ${chosen.folds} folds`]);
    parts.push(block("Chosen templates", make("p", { class: "note" }, chosen.sentence), table("Chosen templates", ["template", "also chosen in"], rows)));
  }
  if (flips) parts.push(make("section", {}, make("button", { type: "button", class: "more", onclick: () => element.show("Labels that change with the wording", "") }, "Show the images whose label changes")), element.pictures);
  return parts;
}

export function robustness(element) {
  const { report } = element;
  return report.models ? shift(element) : sheet(element, report);
}

function sheet(element, { sentence, accuracy, interval, labelled, n, curves, corrupted }) {
  const known = accuracy !== null;
  const [value, ends] = known ? ["accuracy", "interval"] : ["agreement", "agreement_interval"];
  const numbers = [
    ...(known ? [["Clean pictures", points(accuracy), between(interval)]] : []),
    [known ? "Spoilt pictures" : "Answers that stay", points(corrupted), "mean over all kinds and strengths"],
    ["Pictures", n.toLocaleString("en"), known ? `${labelled.toLocaleString("en")} with a label` : "without labels: is the answer still the clean picture’s?"],
  ];
  const strengths = Object.values(curves)[0].map(({ strength }) => `strength ${strength}`);
  const two = (point) => make("span", { title: `95 % interval ${between(point[ends])}` }, points(point[value]));
  const rows = Object.entries(curves).map(([name, curve]) => [name, ...curve.map(two)]);
  const believed = Object.values(curves).filter(([point]) => point.believed !== null);
  for (const curve of believed) rows.push(["a pasted word is believed", ...curve.map((point) => points(point.believed))]);
  return [verdict(sentence), element.numbers(numbers), element.plots("large"), block(`${value[0].toUpperCase()}${value.slice(1)} by kind and strength`, table("Robustness", ["spoilt by", ...strengths], rows))];
}

function shift(element) {
  const { models, effective, sentence } = element.report;
  const rows = models.map((one) => [one.name, points(one.accuracy), between(one.interval), points(one.shifted), between(one.shifted_interval), `${((one.accuracy - one.shifted) * 100).toFixed(1)} points`]);
  const words = effective
    ? "The line goes through the other models. This one's height above it is its effective robustness (Taori et al., 2020)."
    : "Add two other models to see what this accuracy leads one to expect.";
  return [verdict(sentence), element.plots(), block("Both sets", table("Both sets", ["model", "first set", "95 % interval", "second set", "95 % interval", "lost"], rows), make("p", { class: "note" }, words))];
}

export function captions(element) {
  return { match, composition, recall }[element.report.what](element.report);
}

function match({ captions: said, by_picture, by_caption, thumbnails, files }) {
  const strongest = (values, i) => values[i] === Math.max(...values);
  const cell = (values, i) => (strongest(values, i) ? make("b", {}, points(values[i])) : points(values[i]));
  const picture = (i) => make("img", { alt: files[i], title: files[i], src: `data:image/webp;base64,${thumbnails[i]}` });
  const rows = by_picture.map((shares, i) => [picture(i), ...said.map((_, j) => cell(shares, j))]);
  const columns = said.map((_, j) => by_caption.map((shares) => shares[j]));
  const other = by_caption.map((_, i) => [picture(i), ...said.map((_, j) => cell(columns[j], i))]);
  const parts = [block("Which caption fits each picture?", make("p", { class: "note" }, "Each row is shared out among the captions. A high share only says which fits best."), table("Captions by picture", ["picture", ...said], rows, "captions"))];
  if (files.length > 1) parts.push(block("Which picture fits each caption?", make("p", { class: "note" }, "Each column is shared out among the pictures."), table("Pictures by caption", ["picture", ...said], other, "captions")));
  return parts;
}

function composition({ scores, wrong }) {
  const rows = Object.entries(scores).map(([name, { share, interval, chance, n }]) => [name, points(share), between(interval), points(chance), n.toLocaleString("en")]);
  const failed = make("details", {}, make("summary", {}, `Items that failed: ${wrong.length.toLocaleString("en")}`), make("p", { class: "note" }, wrong.slice(0, 300).join(", ")));
  return [block("How often it comes out right", table("Scores", ["score", "right", "95 % interval", "guessing", "items"], rows)), ...(wrong.length ? [failed] : [])];
}

function recall({ n, captions: count, text_to_image, image_to_text, intervals }) {
  const row = (words, shares, ends) => [words, ...Object.keys(shares).map((k) => `${points(shares[k])} (${between(ends[k])})`)];
  const depths = Object.keys(text_to_image).map((k) => `among the best ${k}`);
  const rows = [row("words to picture", text_to_image, intervals.text_to_image), row("picture to words", image_to_text, intervals.image_to_text)];
  return [block("Recall", make("p", { class: "note" }, `${n.toLocaleString("en")} images, ${count.toLocaleString("en")} captions; in brackets 95 % intervals.`), table("Recall", ["way", ...depths], rows))];
}

export function suite(element) {
  const { sets, means, mean_intervals, ranks, rank_intervals, sentence } = element.report;
  const arms = Object.keys(means);
  const scored = (share, ends) => `${points(share)} (${between(ends)})`;
  const rows = sets.map((one) => [one.called || one.name, one.n.toLocaleString("en"), ...arms.map((arm) => scored(one.scores[arm], one.intervals[arm])), points(1 / one.classes), one.paper ? points(one.paper) : "–", one.measure]);
  rows.push(["mean", "", ...arms.map((arm) => scored(means[arm], mean_intervals[arm])), "", "", ""]);
  const ends = (arm) => rank_intervals[arm].map((end) => end.toFixed(2)).join(" to ");
  if (arms.length > 1) rows.push(["mean rank", "", ...arms.map((arm) => `${ranks[arm].toFixed(2)} (${ends(arm)})`), "", "", ""]);
  const known = [...new Set(sets.map(({ advice }) => advice).filter(Boolean))];
  const parts = [verdict(sentence), element.plots(), block("Set by set", make("p", { class: "note" }, "In brackets 95 % intervals. The paper’s figure is that of its largest model."), table("Sets", ["set", "images", ...arms, "guessing", "paper", "measured"], rows))];
  if (known.length) parts.push(block("What the paper says of such sets", make("ul", {}, ...known.map((words) => make("li", {}, words)))));
  return parts;
}

export function labels(element) {
  const { rows, zero_shot, interval, sentence, n, classes } = element.report;
  const each = ({ shots, everything }) => (everything ? `all (${shots < 10 ? shots.toFixed(1) : Math.round(shots)})` : String(shots));
  const scored = (share, ends) => `${points(share)} (${between(ends)})`;
  const cells = [["none: zero-shot", scored(zero_shot, interval), ""], ...rows.map((row) => [each(row), scored(row.probe, row.interval), scored(row.taught, row.taught_interval)])];
  const note = `${n.toLocaleString("en")} images of ${classes.toLocaleString("en")} classes. What one half teaches is tested on the other. A probe sees no names; the taught head starts from them.`;
  return [verdict(sentence), element.plots(), block("Labels of each class", make("p", { class: "note" }, note), table("Labels of each class", ["labels", "probe", "taught head"], cells))];
}
