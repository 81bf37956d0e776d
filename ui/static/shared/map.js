// <sayso-map>: pictures on a plane, alike ones together. Whoever shows one gives it a `host` and calls `load`.
//   host: kinds() -> [[by, words]], url(by) -> the address of the points, has(id), choose(ids, isMore), toggle(id), clear(),
//         describe(card, group) -> nodes beside the large picture, canChoose
// Where there is no map yet, it is laid out by a job, which is followed here and can be stopped.
import { Viewer, getJSON, make, many, styled } from "./parts.js";
import { Points } from "./map_points.js";
import { Plane } from "./map_view.js";

const QUICK = 20_000; // images that are laid out without being asked: within a minute
const EVERY = 500; // milliseconds between looks at the job

const post = (url, body) => getJSON(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
const button = (text, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, text);

class SaysoMap extends HTMLElement {
  constructor() {
    super();
    const root = styled(this, "shared/map");
    this.viewer = new Viewer(root, (card) => this.host.describe(card, this.groupOf(card[0])));
    const proxy = {
      has: (id) => this.host.has(id),
      choose: (ids, isMore) => this.host.choose(ids, isMore),
      toggle: (id) => this.host.toggle(id),
      clear: () => this.host.clear(),
      open: (cards, index) => this.viewer.open(cards, index),
    };
    this.plane = new Plane(this, proxy);
    this.by = make("select", { id: "map-by", "aria-label": "Colour by", onchange: () => this.reload() });
    this.lasso = button("Lasso", () => this.draw((this.plane.hands.wantsLasso = !this.plane.hands.wantsLasso)), { "aria-pressed": false, title: "Draw around images (Shift and drag)" });
    this.pictures = button("Pictures", () => this.withPictures(!this.plane.showsPictures), { "aria-pressed": this.plane.showsPictures, title: "Show pictures where there is room" });
    this.seen = button("Select in view", () => this.plane.hands.inView(), { title: "V" });
    const zoom = (text, words, onclick) => button(text, onclick, { class: "square", "aria-label": words, title: words });
    const zooms = [zoom("+", "Zoom in", () => this.plane.zoom(1.4)), zoom("−", "Zoom out", () => this.plane.zoom(1 / 1.4)), zoom("⤢", "Show the whole map", () => this.plane.reset())];
    this.tools = make("div", { class: "tools", role: "toolbar", "aria-label": "Map" }, make("label", { for: "map-by" }, "Colour by"), this.by, this.lasso, this.seen, this.pictures, ...zooms);
    this.groups = make("div", { class: "groups", role: "group", "aria-label": "Groups" });
    this.foot = make("div", { class: "foot" });
    this.start = make("div", { class: "start", hidden: "" });
    root.append(this.plane.root, this.tools, this.groups, this.foot, this.plane.told, this.start);
    this.dark = new MutationObserver(() => {
      this.plane.colours();
      this.plane.draw();
    });
  }
  connectedCallback() {
    this.dark.observe(document.body, { attributeFilter: ["class"] });
  }
  disconnectedCallback() {
    this.dark.disconnect();
    clearTimeout(this.next);
  }

  // Show the points of what the host shows; the view stays if nothing but colours has changed.
  async load() {
    const kinds = this.host.kinds();
    const { value } = this.by;
    this.by.replaceChildren(...kinds.map(([by, words]) => make("option", { value: by }, words)));
    if (kinds.some(([by]) => by === value)) this.by.value = value;
    else this.by.value = "";
    this.lasso.hidden = this.seen.hidden = !this.host.canChoose;
    return this.fetch(this.by.value);
  }
  reload() {
    return this.fetch(this.by.value);
  }
  async fetch(by) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    if (!this.plane.points.count && this.start.hidden) this.begun("Reading the map …", "");
    try {
      const answer = await fetch(this.host.url(by));
      if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || "The map could not be read; load the page again.");
      const points = new Points(await answer.arrayBuffer());
      if (turn === this.turn) this.show(points);
    } catch (error) {
      if (turn === this.turn) this.problem(error.message);
    }
  }
  show(points) {
    const { head } = points;
    if (head.by) this.by.value = head.by;
    this.tools.hidden = !head.made;
    const stays = this.plane.points.count > 0 && points.count > 0;
    this.plane.show(points, stays);
    this.plane.root.ariaLabel = `Map of ${many(points.count, "image")}`;
    this.legend();
    this.say();
    if (head.job) return this.followed(head.job);
    this.start.hidden = head.made;
    if (head.made) return;
    if (!head.images) return this.begun("No images to lay out yet", "Add photos first: the map then shows which ones are alike.");
    if (head.images <= QUICK) return this.offsetParent && this.lay(false); // not for a tab that nobody looks at
    const words = "The map shows all your photos at once, alike ones together. It takes some minutes; you can go on meanwhile.";
    this.begun("A map of your photos", words, button(`Lay out ${many(head.images, "image")}`, () => this.lay(false), { class: "primary" }));
  }
  problem(words) {
    this.tools.hidden = true;
    this.groups.replaceChildren();
    this.begun("The map cannot be shown", words, button("Try again", () => this.reload(), { class: "primary" }));
  }
  begun(title, words, ...more) {
    this.start.hidden = false;
    this.start.replaceChildren(make("h2", { role: "status" }, title), make("p", {}, words), ...more);
  }

  // groups and what is said below

  legend() {
    const { plane } = this;
    const { groups } = plane.points.head;
    const order = [...groups.keys()].filter((n) => groups[n].count).sort((a, b) => (groups[a].tone === "quiet") - (groups[b].tone === "quiet") || groups[b].count - groups[a].count);
    const focused = this.shadowRoot.activeElement?.dataset?.group;
    this.groups.classList.toggle("some", plane.only.size > 0);
    this.groups.replaceChildren(
      ...order.map((n) => {
        const { name, count } = groups[n];
        const alone = () => (plane.toggle(n), this.legend());
        const node = button("", alone, { "aria-pressed": plane.only.has(n), title: `Show only ${name}`, "data-group": n });
        const dot = make("i", { "aria-hidden": true, style: `background: ${plane.cssOf(n)}` });
        node.append(dot, make("b", {}, name), make("span", { class: "count" }, count.toLocaleString("en")));
        return node;
      }),
    );
    if (focused !== undefined) this.groups.querySelector(`[data-group="${focused}"]`)?.focus();
  }
  say() {
    const { head } = this.plane.points;
    const parts = [];
    if (head.made && head.missing) parts.push(`${many(head.missing, "new image")} not on the map yet.`, button("Place them", () => this.lay(false)));
    else if (head.made && head.old) parts.push("Much has changed since the map was laid out.", button("Lay it out anew", () => this.lay(true)));
    else if (head.made && head.method === "PCA" && head.shown >= 30) parts.push("A rough map: openTSNE, which makes a finer one, is not installed.");
    else if (head.made && this.host.canChoose) parts.push("Alike photos lie together. Draw around some with the lasso.");
    else if (head.made) parts.push("Alike photos lie together. Click one to see it large.");
    this.foot.replaceChildren(...parts);
  }
  groupOf(id) {
    const n = this.plane.points.ids.indexOf(id);
    return n < 0 ? "" : this.plane.groupOf(n);
  }
  draw(isOn) {
    this.lasso.setAttribute("aria-pressed", isOn);
    this.plane.root.classList.toggle("lasso", isOn);
  }
  withPictures(isOn) {
    this.plane.showsPictures = isOn;
    localStorage.saysoMapPictures = isOn ? "on" : "off";
    this.pictures.setAttribute("aria-pressed", isOn);
    this.plane.picture();
  }

  // the job

  async lay(anew) {
    try {
      const { job } = await post("/api/map", { anew });
      this.followed(job);
    } catch (error) {
      this.problem(error.message);
    }
  }
  async followed(job) {
    clearTimeout(this.next);
    if (!this.isConnected) return;
    const told = await getJSON(`/api/map/jobs/${job}`).catch(() => null);
    if (!told) return void (this.next = setTimeout(() => this.followed(job), 4 * EVERY)); // the server is away for a moment
    if (told.state === "done") {
      this.plane.isOwn = false; // all of it, as it is now
      return this.reload();
    }
    if (told.state === "failed") return this.problem(told.error);
    if (told.state === "cancelled") return this.stopped();
    this.progress(job, told);
    this.next = setTimeout(() => this.followed(job), EVERY);
  }
  progress(job, { state, message, done, total, left }) {
    const words = state === "queued" ? "Waiting for its turn" : `${message[0]?.toUpperCase() ?? ""}${message.slice(1)}`;
    const stop = () => post(`/api/map/jobs/${job}/stop`, {}).catch(() => {});
    if (this.plane.points.count) {
      const share = total ? `, ${Math.round((100 * done) / total)} %` : "";
      return this.foot.replaceChildren(`${words}${share} …`, button("Stop", stop));
    }
    const bar = make("progress", { "aria-label": words, ...(total ? { max: total, value: done } : {}) });
    const time = left ? `About ${left} left. You can go on with other things meanwhile.` : "You can go on with other things meanwhile.";
    if (this.start.querySelector("progress")) {
      // only what has changed, or the button could not be pressed
      this.start.querySelector("p").textContent = time;
      this.start.querySelector("h2").textContent = words;
      return this.start.querySelector("progress").replaceWith(bar);
    }
    this.begun(words, time, bar, button("Stop", stop));
  }
  stopped() {
    if (this.plane.points.count) return this.reload();
    this.begun("Stopped", "There is no map yet.", button("Lay the map out", () => this.lay(false), { class: "primary" }));
  }
  // What is selected has changed; what can be done with it then stands where the sentence was.
  selected(count) {
    this.toggleAttribute("choosing", count > 0);
    this.plane.selected();
  }
}

customElements.get("sayso-map") ?? customElements.define("sayso-map", SaysoMap);
