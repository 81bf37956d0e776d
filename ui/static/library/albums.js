// Albums in the grid: a row of names, and a form that keeps the present search under a new one.
import { getJSON, make } from "../shared/parts.js";
import { post } from "./selection.js";

export class Albums {
  list = []; // {name, about, hand}

  // grid: question, openAlbum(name), submit(), say(words, undo), attempt(work)
  constructor(grid) {
    this.grid = grid;
    this.names = make("div", { class: "chips start", role: "group", "aria-label": "Albums" });
    this.field = make("input", { "aria-label": "Name", placeholder: "Name", autocomplete: "off", maxlength: 120 });
    const album = make("button", { type: "submit" }, "Save as album");
    this.classifier = make("button", { type: "button", title: "A classifier that says of each picture whether it matches, for the Classify tab", onclick: () => this.keep("/api/classifiers") }, "Save as classifier");
    const cancel = make("button", { type: "button", onclick: () => this.ask(false) }, "Cancel");
    this.form = make("form", { class: "give", hidden: "" }, this.field, album, this.classifier, cancel);
    this.form.onsubmit = (event) => {
      event.preventDefault();
      this.keep("/api/albums");
    };
    this.form.onkeydown = (event) => {
      if (event.key === "Escape") this.ask(false);
    };
    this.save = make("button", { type: "button", class: "link", hidden: "", onclick: () => this.ask(true) }, "Save this search");
    this.root = make("div", { class: "albums" }, this.names, this.save, this.form);
  }
  async load() {
    this.list = await getJSON("/api/albums");
    this.draw();
  }
  isByHand(name) {
    return this.list.some((album) => album.hand && album.name === name);
  }
  draw() {
    const { question } = this.grid;
    const chip = ({ name, about }) => make("button", { type: "button", class: "chip", title: about, "aria-pressed": name === question.album, onclick: () => (name === this.grid.question.album ? this.grid.submit() : this.grid.openAlbum(name)) }, name);
    this.names.replaceChildren(...(this.list.length ? [make("span", { class: "note" }, "Albums")] : []), ...this.list.map(chip));
    const { sort, everything, album, image, picture, ...rest } = question;
    this.save.hidden = !!(album || image || picture) || !Object.keys(rest).length || !this.form.hidden;
    this.classifier.hidden = !question.q;
    if (album || image || picture) this.form.hidden = true;
  }
  ask(open) {
    this.form.hidden = !open;
    this.draw();
    if (!open) return this.save.focus();
    this.field.value = this.grid.question.q?.slice(0, 60) ?? "";
    this.field.focus();
    this.field.select();
  }
  keep(url) {
    return this.grid.attempt(async () => {
      const { name } = await post(url, { name: this.field.value, question: this.grid.question });
      this.form.hidden = true;
      const album = "New photos that match come into it by themselves.";
      const classifier = "It is among the saved classifiers of the Classify tab.";
      this.grid.say(url.endsWith("albums") ? `Album “${name}” saved. ${album}` : `Classifier “${name}” saved. ${classifier}`);
      await this.load();
    });
  }
  remove(name) {
    return this.grid.attempt(async () => {
      await this.grid.submit(); // away from it first: what is asked of an album that is gone is a mistake
      const kept = await post("/api/albums/delete", { name });
      await this.load();
      this.grid.say(`Album “${name}” deleted; its pictures stay.`, async () => {
        await post("/api/albums/restore", kept);
        await this.load();
        this.grid.openAlbum(name);
        this.grid.say(`Album “${name}” is back.`);
      });
    });
  }
}
