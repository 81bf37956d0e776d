// The large view of the grid: one image with what is known of it, and its neighbours in the answer, however many there are.
import { isSwitchedOff } from "../shared/frame.js";
import { may } from "../shared/person.js";
import { Viewer, getJSON, make, moment, percent } from "../shared/parts.js";

const size = (bytes) => (bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`);

export class Large extends Viewer {
  // grid: tiles, selection, pick(id), more(image), left(index), labels
  constructor(root, grid) {
    super(root, () => []);
    this.grid = grid;
    this.dialog.tabIndex = -1;
    this.dialog.onclose = () => {
      this.image.src = "data:,";
      grid.left(this.index);
    };
    const keys = this.dialog.onkeydown;
    this.dialog.onkeydown = (event) => {
      if (event.target.matches("input")) return event.stopPropagation();
      keys(event);
      const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !isSwitchedOff(event);
      if (isPlain && /^[0-5]$/.test(event.key)) this.rate(Number(event.key));
      if (event.key === " " && !event.target.matches("button, a")) {
        event.preventDefault();
        this.pick();
      }
    };
  }
  async openAt(index) {
    if (!(await this.show(index))) return;
    this.dialog.showModal();
    this.dialog.focus(); // not its first button, which a space would press
  }
  step(by) {
    return this.show(this.index + by);
  }
  async show(index) {
    const item = await this.grid.tiles.get(index);
    if (!item) return false;
    this.index = index;
    this.item = item;
    const [id, content, name] = item;
    this.image.src = `/preview/${id}/${content}.webp`;
    this.image.alt = name;
    this.zoom.reset();
    this.place.textContent = `${(index + 1).toLocaleString("en")} of ${this.grid.tiles.total.toLocaleString("en")}`;
    this.check = make("button", { type: "button", class: "chip", onclick: () => this.pick() });
    this.facts = make("div", { class: "facts" });
    const like = make("button", { type: "button", class: "primary", onclick: () => this.close(() => this.grid.more(item)) }, "More like this");
    const file = (text, query, extra) => make("a", { href: `/original/${id}/${content}${query}`, ...extra }, text);
    const links = make("p", { class: "links" }, file("Open the file", "", { target: "_blank", rel: "noopener" }), file("Download", "?download=true", { download: name }));
    this.side.replaceChildren(make("h2", {}, name), ...judged(item, this.grid.answer.scale), make("div", { class: "row" }, like, this.check), this.facts, links);
    this.marked();
    this.about();
    return true;
  }
  close(then) {
    this.dialog.close();
    then();
  }
  pick() {
    this.grid.pickOne(this.index);
    this.marked();
  }
  marked() {
    const is = this.grid.selection.has(this.item[0]);
    this.check.textContent = is ? "Selected" : "Select";
    this.check.setAttribute("aria-pressed", is);
  }

  // what is known

  async about() {
    const { item, facts } = this;
    try {
      const known = await getJSON(`/api/images/${item[0]}`);
      if (item === this.item) facts.replaceChildren(this.rating(known.stars), this.list(known), this.labels(known.labels), said(known.said));
    } catch (error) {
      facts.replaceChildren(make("p", { class: "problem", role: "alert" }, error.message));
    }
  }
  list({ taken, modified, camera, place, width, height, bytes, path, folder }) {
    const rows = [
      ["Taken", taken && moment(taken)],
      ["Camera", camera],
      ["Place", place],
      ["Changed", moment(modified)],
      ["Size", `${width.toLocaleString("en")} × ${height.toLocaleString("en")}${bytes === null ? ", the file is not there now" : `, ${size(bytes)}`}`],
      ["Folder", folder],
      ["Path", path],
    ];
    return make("dl", {}, ...rows.filter(([, what]) => what).flatMap(([name, what]) => [make("dt", {}, name), make("dd", {}, what)]));
  }
  rating(stars) {
    if (!may("labeller")) return "";
    const star = (n) => make("button", { type: "button", class: n <= stars ? "on" : "", "aria-label": `${n} of 5 stars`, "aria-pressed": n === stars, title: n === stars ? "Take the rating away (0)" : `Rate it ${n} (${n})`, onclick: () => this.rate(n === stars ? 0 : n) }, n <= stars ? "★" : "☆");
    return make("div", { class: "stars", role: "group", "aria-label": "Stars" }, ...[1, 2, 3, 4, 5].map(star));
  }
  async rate(stars) {
    const { item } = this;
    const hadFocus = this.facts.querySelector(".stars")?.contains(this.facts.getRootNode().activeElement);
    if (!(await this.grid.rate(item[0], stars)) || item !== this.item) return;
    await this.about();
    if (hadFocus) this.facts.querySelectorAll(".stars button")[Math.max(0, stars - 1)]?.focus();
  }
  labels(values) {
    const words = { 1: "", [-1]: "not ", 0: "unsure: " };
    const chips = Object.entries(values).map(([label, value]) => {
      if (!may("labeller")) return make("span", { class: "chip label" }, `${words[value]}${label}`);
      const away = make("button", { type: "button", "aria-label": `Take the label ${words[value]}${label} away` }, "×");
      away.onclick = () => this.give(label, null);
      return make("span", { class: "chip label" }, `${words[value]}${label}`, away);
    });
    if (!may("labeller")) return make("div", { class: "chips start" }, ...chips);
    const field = make("input", { "aria-label": "Label for this image", placeholder: "Label", list: "labels-known", autocomplete: "off", maxlength: 200 });
    const form = make("form", { class: "give" }, field, make("button", { type: "submit" }, "Label"));
    form.onsubmit = (event) => {
      event.preventDefault();
      this.give(field.value, 1);
    };
    return make("div", { class: "chips start" }, ...chips, form);
  }
  async give(label, value) {
    await this.grid.give({ ids: [this.item[0]] }, label, value);
    await this.about();
  }
}

// Who said what, where people have accounts.
function said(words) {
  const what = { 1: "Labelled", [-1]: "Said not to be", 0: "Unsure about" };
  const lines = words.map(({ name, label, value, when }) => make("li", {}, `${what[value]} “${label}” by ${name}, ${moment(when)}`));
  return lines.length ? make("ul", { class: "said-by" }, ...lines) : "";
}

function judged([, , , score, rank, margin], scale) {
  if (score === null) return [];
  const numbers = [[scale === "share" ? "Share" : "Likeness", score.toFixed(3)]];
  if (rank !== null) numbers.push(["Beats everyday words", percent(rank)], ["Above the line", `${margin < 0 ? "−" : "+"}${Math.abs(margin).toFixed(3)}`]);
  const list = make("dl", { class: "numbers" }, ...numbers.map(([what, number]) => make("div", {}, make("dt", {}, what), make("dd", {}, number))));
  const line = `It is ${margin < 0 ? "below" : "above"} the line where matches end.`;
  const words = `Your words fit this picture better than ${percent(rank ?? 0)} of 150 everyday words. ${line} These figures rank images; they do not say how likely it is.`;
  return [list, make("p", { class: "note" }, rank === null ? "It ranks images; it does not say how likely one is right." : words)];
}
