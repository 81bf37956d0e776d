// How often the chosen folder is looked at for new photos, and what sorts them.
import { make } from "../shared/parts.js";
import { post } from "./selection.js";

const TIMES = [["", "Never by itself"], ["15", "Every 15 minutes"], ["60", "Every hour"], ["1440", "Every day"]];
const option = ([value, words]) => make("option", { value }, words);

export class Watch {
  watched = {}; // folder -> [minutes, classifier], of folders on the disk

  // grid: say(words), attempt(work), places(); folder() -> the id and name of the chosen one
  constructor(grid, folder) {
    Object.assign(this, { grid, folder });
    const list = (id, ...options) => make("select", { id, onchange: () => this.send() }, ...options.map(option));
    this.every = list("watch-every", ...TIMES);
    this.sorter = list("watch-sorter");
    const field = (words, node) => make("div", { class: "field" }, make("label", { for: node.id }, words), node);
    this.sorts = field("Sort new photos with", this.sorter);
    this.root = make("div", { class: "fields", hidden: "" }, field("Look for new photos", this.every), this.sorts);
  }
  offer({ watched = {}, sorters = [] }) {
    this.watched = watched;
    this.sorter.replaceChildren(...[["", "Nothing"], ...sorters.map((name) => [name, name])].map(option));
    this.draw();
  }
  draw() {
    const [id] = this.folder();
    const [every, sorter] = this.watched[id] ?? [];
    this.root.hidden = !(id in this.watched);
    if (every && !TIMES.some(([value]) => value === String(every))) this.every.append(option([String(every), `Every ${every} minutes`]));
    this.every.value = every ?? "";
    this.sorter.value = sorter ?? "";
    this.sorts.hidden = !every || this.sorter.options.length < 2;
  }
  send() {
    const [id] = this.folder();
    const every = Number(this.every.value) || null;
    return this.grid.attempt(async () => {
      await post(`/api/folders/${id}/watch`, { every, sorter: this.sorter.value || null });
      const how = this.every.selectedOptions[0].textContent.toLowerCase();
      const words = this.sorter.value ? `New photos come in ${how}, sorted in a session of their own.` : `New photos come in ${how}.`;
      await this.grid.places();
      this.grid.say(every ? words : "New photos come in only when you add the folder again.");
    });
  }
}
