// <sayso-chooser>: a dialog that goes through the folders of the computer Sayso runs on, and adds the one that is chosen: its
// path goes into the field for it, and the button beside is pressed, so that there is one way in.
import { getJSON, make, many, styled } from "../shared/parts.js";

const button = (text, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, text);

class Chooser extends HTMLElement {
  constructor() {
    super();
    const root = styled(this, "library/chooser");
    this.places = make("nav", { "aria-label": "Places" });
    this.path = make("p", { class: "path", role: "status" });
    this.list = make("div", { class: "folders", role: "group", "aria-label": "Folders in it" });
    this.words = make("p", { class: "note" });
    this.take = button("Add this folder", () => this.add(), { class: "primary" });
    const foot = make("div", { class: "row" }, this.words, button("Cancel", () => this.dialog.close()), this.take);
    this.dialog = make("dialog", { "aria-labelledby": "choose-title" }, make("h2", { id: "choose-title" }, "Choose a folder"), this.places, this.path, this.list, foot);
    root.append(button("Choose a folder …", () => this.open(), { class: "opens" }), this.dialog);
    this.list.onkeydown = (event) => this.keys(event);
  }
  async open() {
    this.dialog.showModal();
    await this.go(this.folder?.path ?? "");
  }
  async go(path) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    try {
      const folder = await getJSON(`/api/disk?${new URLSearchParams(path ? { at: path } : {})}`);
      if (turn === this.turn) this.draw((this.folder = folder));
    } catch (error) {
      if (turn !== this.turn) return;
      this.words.textContent = error.message;
      this.words.classList.add("problem");
      this.take.disabled = !this.folder;
    }
  }
  draw({ path, up, folders, more, pictures, known, places }) {
    this.places.replaceChildren(...places.map(([name, where]) => button(name, () => this.go(where), { "aria-pressed": where === path })));
    this.path.textContent = path;
    const rows = folders.map(([name, where]) => button(name, () => this.go(where), { class: "folder" }));
    if (up) rows.unshift(button("Up", () => this.go(up), { class: "folder up" }));
    this.list.replaceChildren(...rows, ...(folders.length ? [] : [make("p", { class: "note" }, "No folders in here.")]));
    this.list.scrollTop = 0;
    this.words.classList.remove("problem");
    const directly = pictures ? `${many(pictures, "picture")} in it` : "No picture directly in it";
    const below = folders.length ? "; what is below comes along." : ".";
    this.words.textContent = more ? "Only the first 2,000 folders are listed." : known ? "In the library already; adding it again finds what is new." : `${directly}${below}`;
    this.take.disabled = !pictures && !folders.length;
    (rows[up ? 1 : 0] ?? rows[0] ?? this.take).focus();
  }
  keys(event) {
    const rows = [...this.list.querySelectorAll("button")];
    const at = rows.indexOf(this.shadowRoot.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (event.key === "Backspace" && this.folder?.up) this.go(this.folder.up);
    else if (to !== undefined) rows[Math.min(Math.max(to, 0), rows.length - 1)]?.focus();
    else return;
    event.preventDefault();
  }
  add() {
    this.dialog.close();
    const field = document.querySelector("#folder-path :is(textarea, input)");
    field.value = this.folder.path;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    // Gradio takes the field's value in at the next frame
    requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector("#add-folder").click()));
  }
}

customElements.get("sayso-chooser") ?? customElements.define("sayso-chooser", Chooser);
