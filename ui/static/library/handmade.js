// Albums made by hand, in the bar of the selection: add to one, and in one that is open take out or change the order.
import { make, many } from "../shared/parts.js";
import { post } from "./selection.js";

const ORDER = [["first", "To the front"], ["earlier", "Earlier"], ["later", "Later"]];

export class ByHand {
  // grid: selection, question, albums, say(words, undo), attempt(work), refresh(), openAlbum(name), submit()
  constructor(grid) {
    this.grid = grid;
    const button = (text, onclick, title = "") => make("button", { type: "button", onclick, title }, text);
    this.field = make("input", { "aria-label": "Album for the selected images", placeholder: "Album", list: "albums-known", autocomplete: "off", maxlength: 120 });
    this.known = make("datalist", { id: "albums-known" });
    this.form = make("form", { class: "give", hidden: "" }, this.field, this.known, make("button", { type: "submit" }, "Add"));
    this.form.onsubmit = (event) => {
      event.preventDefault();
      this.add(this.field.value);
    };
    this.form.onkeydown = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.ask(false);
    };
    this.opens = button("Add to album", () => this.ask(true), "An album is made if there is none of the name");
    this.out = button("Take out of the album", () => this.change("remove"));
    this.order = ORDER.map(([how, words]) => button(words, () => this.change(how), "The order of this album"));
    this.nodes = [this.opens, this.form, this.out, ...this.order];
  }
  // The album that is open, if it was made by hand.
  get album() {
    const { album, sort } = this.grid.question;
    return this.grid.albums.list.some(({ name, hand }) => hand && name === album) ? { name: album, isInOrder: !sort } : null;
  }
  draw(count) {
    if (!count) this.form.hidden = true;
    this.opens.hidden = !this.form.hidden;
    this.out.hidden = !this.album;
    for (const button of this.order) button.hidden = !this.album?.isInOrder;
  }
  ask(open) {
    this.form.hidden = !open;
    this.opens.hidden = open;
    if (!open) return this.opens.focus();
    this.known.replaceChildren(...this.grid.albums.list.filter(({ hand }) => hand).map(({ name }) => make("option", { value: name })));
    this.field.focus();
  }
  add(name) {
    return this.send(name, "add", ({ name, changed }) => (changed ? `${many(changed, "image")} added to “${name}”.` : `All of them are in “${name}” already.`));
  }
  change(how) {
    return this.send(this.album.name, how, ({ name, changed }) => (how === "remove" ? `${many(changed, "image")} taken out of “${name}”.` : `The order of “${name}” is changed.`));
  }
  send(name, how, words) {
    const { grid } = this;
    return grid.attempt(async () => {
      const answer = await post("/api/albums/pictures", { name, how, chosen: grid.selection });
      this.form.hidden = true;
      this.field.value = "";
      if (this.album) await grid.refresh();
      else await grid.albums.load();
      grid.drawn();
      grid.say(words(answer), async () => {
        await (answer.before ? post("/api/albums/restore", answer.before) : post("/api/albums/delete", { name: answer.name }));
        await (grid.question.album === answer.name && !answer.before ? grid.submit() : grid.refresh());
        grid.say("Taken back.");
      });
    });
  }
}
