// The two ways to look at what answers the question: the grid, and the map. They share the question and the selection.
import "../shared/map.js";
import { make } from "../shared/parts.js";
import { Selection } from "./selection.js";

const KINDS = [["", ""], ["label", "Labels"], ["answer", "Answers"], ["mistake", "Mistakes"], ["folder", "Folders"]];
const OF_BOARD = ["answer", "mistake"]; // there is nothing of these to show before something is sorted

export class Views {
  // grid: selection, choose(selection), clear(), more(card), url(path, extra), tiles, form
  constructor(grid) {
    this.grid = grid;
    const button = (name, words) => make("button", { type: "button", "data-view": name, onclick: () => this.turn(name) }, words);
    this.buttons = [button("grid", "Grid"), button("map", "Map")];
    this.root = make("div", { class: "views", role: "group", "aria-label": "View" }, ...this.buttons);
    this.name = localStorage.saysoLibraryView === "map" ? "map" : "grid";
    this.drawn();
  }
  get isMap() {
    return this.name === "map";
  }
  // The map is made when it is first looked at.
  get map() {
    if (!this.made) {
      this.made = make("sayso-map");
      this.made.host = this.host();
      this.grid.tiles.list.after(this.made);
    }
    return this.made;
  }
  turn(name) {
    this.name = localStorage.saysoLibraryView = name;
    this.drawn();
    if (this.isMap) {
      this.grid.timeline.hide(true);
      this.show();
    } else this.grid.refresh();
  }
  drawn() {
    for (const button of this.buttons) button.setAttribute("aria-pressed", button.dataset.view === this.name);
    const { tiles, form } = this.grid;
    tiles.list.hidden = tiles.slider.hidden = form.fields.sort.hidden = this.isMap;
    if (this.isMap || this.made) this.map.hidden = !this.isMap;
  }
  // What the grid has found is to be seen.
  show() {
    if (this.isMap) this.map.load();
  }
  selected(count) {
    if (this.isMap) this.map.selected(count);
  }
  host() {
    const { grid } = this;
    const run = () => document.querySelector("sayso-board")?.getAttribute("run") ?? "";
    return {
      canChoose: true,
      kinds: () => KINDS.filter(([by]) => by && (run() || !OF_BOARD.includes(by))),
      url: (by) => grid.url("/api/map", { ...(by ? { by } : {}), ...(run() ? { run: run() } : {}) }),
      has: (id) => grid.has(id),
      choose: (ids, isMore) => grid.choose((isMore ? grid.selection.copy() : new Selection()).add(ids)),
      toggle: (id) => grid.choose(grid.selection.copy().toggle(id)),
      clear: () => grid.choose(new Selection()),
      describe: (card, group) => {
        const select = make("button", { type: "button", class: "chip" });
        const told = () => select.replaceChildren(grid.has(card[0]) ? "Selected" : "Select");
        select.onclick = () => {
          grid.choose(grid.selection.copy().toggle(card[0]));
          told();
        };
        told();
        const more = make("button", { type: "button", class: "chip", onclick: () => (this.map.viewer.dialog.close(), grid.more(card)) }, "More like this");
        return [make("p", { class: "note" }, group), make("div", { class: "chips" }, select, more)];
      },
    };
  }
}
