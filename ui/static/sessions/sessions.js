// <sayso-sessions session="3:171">: which session the window is on, and the list to go to another, rename, copy or delete it.
// The attribute changes whenever the page was filled from a session; "go" asks for one, by its number or "new".
import { getJSON, make, styled } from "../shared/parts.js";
import { where } from "../shared/where.js";
import { Keeper } from "./keeper.js";
import { LabelSets } from "./label_sets.js";

const WAIT = 400; // ms in which someone may go on to another tab or search

const tab = () => document.querySelector("#tabs [role=tab][aria-selected=true]")?.dataset.tabId ?? "";
const ago = (day) => {
  const minutes = (Date.now() - new Date(day)) / 60000;
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  if (minutes < 1) return "now";
  if (minutes < 60) return words.format(-Math.round(minutes), "minute");
  return minutes < 1440 ? words.format(-Math.round(minutes / 60), "hour") : words.format(-Math.round(minutes / 1440), "day");
};

let isLoaded = false; // the first session of a load also brings its tab

class Sessions extends HTMLElement {
  static observedAttributes = ["session"];

  constructor() {
    super();
    const root = styled(this, "sessions/sessions");
    const button = (text, onclick, kind = "") => make("button", { type: "button", class: kind, onclick }, text);
    this.name = make("span", { class: "name" }, "…");
    this.opener = make("button", { type: "button", class: "opener", popovertarget: "list", "aria-haspopup": "dialog" }, make("span", { class: "kind" }, "Session"), this.name);
    this.field = make("input", { maxlength: 200, autocomplete: "off", "aria-label": "Name of this session" });
    this.field.onkeydown = (event) => void (event.key === "Enter" && this.rename());
    this.others = make("ul", { "aria-label": "Other sessions" });
    const own = make("div", { class: "own" }, this.field, button("Rename", () => this.rename()), button("Duplicate", () => this.copy()), button("Delete", () => this.remove()));
    this.list = make("div", { id: "list", popover: "", role: "dialog", "aria-label": "Sessions" }, own, button("New session", () => this.go("new"), "new"), this.others);
    this.list.addEventListener("toggle", (event) => event.newState === "open" && this.opened());
    this.status = make("p", { class: "said", role: "status" });
    this.sets = new LabelSets({
      session: () => this.session,
      settle: () => this.keeper.settle(),
      go: (id, words) => this.go(id, true, words),
      say: (words, ...ways) => this.say(words, ...ways),
      attempt: (work) => this.attempt(work),
      restore: (session) => this.restore(session),
    });
    root.append(make("div", { class: "switcher" }, this.opener, this.status, this.list), this.sets.root);
    this.keeper = new Keeper({
      say: (words) => this.say(words),
      renamed: (name) => this.show(name),
      sets: (sets) => this.sets.draw(sets),
      overtaken: (words) => this.say(words, ["Show the other", () => this.go(this.session.id, false)], ["Keep this one", () => this.keeper.insist()]),
      elsewhere: () => this.go(this.session.id, false, "Changed in another window; this is how it is now."),
      gone: () => this.say("This session was deleted in another window.", ["Have it back", () => this.restore(this.session)]),
    });
    where.addEventListener("moved", () => this.moved());
  }
  connectedCallback() {
    this.tabs = new MutationObserver(() => this.moved());
    this.tabs.observe(document.querySelector("#tabs") ?? document.body, { subtree: true, attributes: true, attributeFilter: ["aria-selected"] });
    this.tab ??= tab();
    this.keeper.start();
    this.begin();
  }
  disconnectedCallback() {
    this.keeper.stop();
    this.tabs.disconnect();
  }
  attributeChangedCallback() {
    if (this.isConnected) this.begin();
  }

  async begin() {
    const mark = this.getAttribute("session");
    if (!mark || mark === this.mark) return;
    const isFirst = !isLoaded;
    isLoaded = true;
    this.mark = mark;
    this.keeper.hold(); // the fields are no longer those of the session that was here
    await this.attempt(async () => {
      const session = await getJSON(`/api/sessions/${mark.split(":")[0]}`);
      if (mark !== this.mark) return;
      this.session = session;
      this.show(session.name);
      this.sets.draw(session.sets);
      this.keeper.begin(session, !isFirst || !session.empty);
      const here = new URL(location);
      here.searchParams.set("session", session.id);
      history.replaceState(history.state, "", here);
      const { view } = session.state;
      if (this.isQuiet) return (this.isQuiet = false);
      this.view = JSON.stringify(view);
      // who was quicker than the load stays where he went, and keeps what he asked; else the search comes back, on any tab
      const isElsewhere = isFirst && this.tab && tab() !== this.tab;
      if (isFirst && where.hasAsked) return this.moved();
      where.go(view.search ?? {});
      if (isElsewhere) return this.moved();
      const button = isFirst && view.tab && document.querySelector(`#tabs [role=tab][data-tab-id="${CSS.escape(view.tab)}"]`);
      if (button && view.tab !== tab()) button.click();
    });
  }
  // Puts a session on the page; `isAnother` is false where it is this one once more, and one stays where one is.
  async go(which, isAnother = true, words = "") {
    this.close();
    if (isAnother) await this.keeper.settle();
    this.keeper.hold();
    this.isQuiet = !isAnother;
    this.say(words);
    this.dispatchEvent(new CustomEvent("go", { bubbles: true, detail: String(which) }));
  }
  moved() {
    if (!this.session) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const view = { tab: tab(), search: where.search };
      if (JSON.stringify(view) === this.view) return;
      this.view = JSON.stringify(view);
      this.keeper.look(view);
    }, WAIT);
  }

  // the list

  async opened() {
    const { bottom, left } = this.opener.getBoundingClientRect();
    Object.assign(this.list.style, { top: `${bottom + 4}px`, left: `${Math.max(8, left)}px` });
    this.field.value = this.session?.name ?? "";
    await this.attempt(async () => {
      const others = (await getJSON("/api/sessions")).filter(({ first }) => first !== this.session?.first);
      this.others.replaceChildren(...others.map((one) => {
        const about = make("span", { class: "about" }, `${one.classes ? `${one.classes} class${one.classes === 1 ? "" : "es"}` : "no names"} · ${ago(one.used)}`);
        return make("li", {}, make("button", { type: "button", onclick: () => this.go(one.id) }, make("span", { class: "name" }, one.name), about));
      }));
    });
  }
  rename() {
    return this.attempt(async () => {
      this.show((await this.post("name", { name: this.field.value })).name);
      this.close();
    });
  }
  close() {
    if (this.list.matches(":popover-open")) this.list.hidePopover();
  }
  copy() {
    return this.attempt(async () => {
      await this.keeper.settle();
      const copy = await this.post("duplicate");
      await this.go(copy.id, true, `This is the copy, “${copy.name}”.`);
    });
  }
  remove() {
    const gone = this.session;
    return this.attempt(async () => {
      await this.keeper.settle();
      this.keeper.hold(); // nothing is asked of it any more
      await this.post("delete", undefined, gone.id);
      const [other] = await getJSON("/api/sessions");
      await this.go(other?.id ?? "new");
      this.say(`“${gone.name}” is deleted; its labels stay.`, ["Undo", () => this.restore(gone)]);
    });
  }
  restore({ id }) {
    return this.attempt(async () => {
      await this.post("restore", undefined, id);
      await this.go(id);
    });
  }
  post(what, body, id = this.session.id) {
    return getJSON(`/api/sessions/${id}/${what}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });
  }

  show(name) {
    this.session.name = name;
    this.name.textContent = this.opener.title = name;
  }
  say(words, ...ways) {
    this.status.replaceChildren(words, ...ways.flatMap(([text, onclick]) => [" ", make("button", { type: "button", class: "link", onclick: () => (this.say(""), onclick()) }, text)]));
  }
  async attempt(work) {
    try {
      await work();
    } catch (error) {
      this.say(error.message);
    }
  }
}

customElements.get("sayso-sessions") ?? customElements.define("sayso-sessions", Sessions);
