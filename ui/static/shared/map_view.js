// The plane of a map: what is in view and how it is drawn, points and pictures; map_hands.js has what hand and keys do there.
import { getJSON, make, thumbnail } from "./parts.js";
import { Hands } from "./map_hands.js";
import { OUT, Points } from "./map_points.js";
import { painter } from "./map_paint.js";

const [SLOW, QUICK] = [30, 18]; // milliseconds from frame to frame
const FEW = 10_000; // points that are always drawn
const REST = 140; // milliseconds after which a view that stays gets its pictures
const SIDE = 44; // pixels of a picture; as in map.css
const ROOM = 56; // from one to the next, so that points are seen between them
const MOST = { pictures: 140, tried: 3000, neighbours: 30 };
const TINTS = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6", "--c7", "--c8", "--c9", "--good", "--bad", "--rest", "--pale"];
const [GOOD, BAD, REST_TINT, PALE] = [9, 10, 11, 12];

export class Plane {
  points = new Points();
  cards = new Map(); // id -> card, or null where there is none any more
  only = new Set(); // groups that are looked at alone; none: all
  bounds = [-1, 1, -1, 1];
  every = 1; // of how many points one is drawn while the view moves
  current = -1; // the point where hand or keys are

  // host: has(id), choose(ids, isMore), toggle(id), clear(), open(cards, index); element: where colours are read from
  constructor(element, host) {
    Object.assign(this, { element, host });
    this.canvas = make("canvas", { "aria-hidden": true });
    this.painter = painter(this.canvas);
    this.painter.onback = () => this.draw();
    this.shots = make("div", { class: "tiles", "aria-hidden": true });
    this.shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    line.setAttribute("class", "line");
    line.setAttribute("aria-hidden", "true");
    line.append(this.shape);
    this.ring = make("i", { class: "here", hidden: "" });
    this.card = make("figure", { class: "card", hidden: "" });
    this.told = make("span", { class: "gone", role: "status" });
    const keys = "Arrows go to the next picture, plus and minus zoom. Space selects, V selects what is in view. Enter shows it large.";
    this.root = make("div", { class: "plane", tabindex: 0, role: "application", "aria-roledescription": "map", "aria-description": keys }, this.canvas, this.shots, line, this.ring, this.card);
    this.hands = new Hands(this);
    new ResizeObserver(() => this.draw()).observe(this.root);
    this.showsPictures = localStorage.saysoMapPictures !== "off";
  }

  // what is shown

  // Points of a new answer; the view stays where it is the same plane.
  show(points, stays) {
    const names = [...this.only].map((group) => this.points.head.groups[group].name);
    const id = this.points.ids[this.current];
    this.points = points;
    this.current = id === undefined ? -1 : points.ids.indexOf(id);
    this.only = new Set(points.head.groups.flatMap(({ name, count }, group) => (count && names.includes(name) ? [group] : [])));
    this.hide();
    if (!stays) this.isOwn = false;
    this.count();
    this.painter.set(points, this.tints(), this.marks());
    this.draw();
  }
  // Where they lie, and which groups have a colour of their own: the nine largest.
  count() {
    const { groups } = this.points.head;
    const { places } = this.points;
    const bounds = [Infinity, -Infinity, Infinity, -Infinity];
    for (let n = 0; n < places.length; n += 2) {
      bounds[0] = Math.min(bounds[0], places[n]);
      bounds[1] = Math.max(bounds[1], places[n]);
      bounds[2] = Math.min(bounds[2], places[n + 1]);
      bounds[3] = Math.max(bounds[3], places[n + 1]);
    }
    this.bounds = places.length ? [bounds[0], bounds[1] + 1e-6, bounds[2], bounds[3] + 1e-6] : [-1, 1, -1, 1];
    const order = groups.map((group, n) => [group, n]).filter(([{ tone, count }]) => !tone && count).sort(([a], [b]) => b.count - a.count);
    this.places = groups.map(({ tone }) => ({ good: GOOD, bad: BAD })[tone] ?? REST_TINT);
    order.slice(0, 9).forEach(([, n], place) => (this.places[n] = place));
  }
  tintOf(group) {
    if (group === OUT || this.points.hidden.has(group)) return PALE;
    return this.only.size === 1 && this.places[group] === REST_TINT ? 0 : this.places[group];
  }
  // The colour of a group in the legend, also while others are looked at alone.
  cssOf(group) {
    return `var(${TINTS[this.points.hidden.has(group) ? this.places[group] : this.tintOf(group)]})`;
  }
  tints() {
    const of = this.points.head.groups.map((_, group) => this.tintOf(group));
    return Uint8Array.from(this.points.groups, (group) => of[group] ?? PALE);
  }
  marks() {
    const { ids, groups } = this.points;
    return Uint8Array.from(ids, (id, n) => (groups[n] !== OUT && this.host.has(id) ? 1 : 0));
  }
  // Look at a group alone, beside others that are, or at all again.
  toggle(group) {
    this.only.delete(group) || this.only.add(group);
    this.hide();
    this.painter.tint(this.tints());
    this.draw();
  }
  hide() {
    this.points.hidden = new Set(this.only.size ? this.points.head.groups.keys() : []);
    for (const one of this.only) this.points.hidden.delete(one);
  }
  selected() {
    this.painter.mark(this.marks());
    this.draw();
  }
  colours() {
    const style = getComputedStyle(this.element);
    const rgb = (name) => [1, 3, 5].map((at) => parseInt(style.getPropertyValue(name).trim().slice(at, at + 2), 16) / 255).concat(1);
    const colours = TINTS.map(rgb);
    while (colours.length < 16) colours.push(colours[PALE]);
    const look = { colours, page: rgb("--page"), edge: rgb("--edge") };
    this.look = Number.isNaN(look.page[0]) ? null : look; // the style sheet is not there yet
    return this.look;
  }

  // the view: {x, y} is the middle, `unit` how many pixels one of the plane takes

  // All of it, below the tools.
  whole() {
    const { clientWidth, clientHeight } = this.root;
    const [left, right, low, high] = this.bounds;
    const unit = Math.min((clientWidth - 60) / (right - left), (clientHeight - 140) / (high - low), 4 * clientWidth);
    return { x: (left + right) / 2, y: (low + high) / 2 + 20 / Math.max(unit, 20), unit: Math.max(unit, 20) };
  }
  toScreen(n) {
    const { x, y, unit } = this.view;
    return [this.root.clientWidth / 2 + (this.points.x(n) - x) * unit, this.root.clientHeight / 2 - (this.points.y(n) - y) * unit];
  }
  toPlane([left, top]) {
    const { x, y, unit } = this.view;
    return [x + (left - this.root.clientWidth / 2) / unit, y - (top - this.root.clientHeight / 2) / unit];
  }
  frame() {
    const [left, high] = this.toPlane([0, 0]);
    const [right, low] = this.toPlane([this.root.clientWidth, this.root.clientHeight]);
    return { left, right, low, high };
  }
  zoom(by, at = [this.root.clientWidth / 2, this.root.clientHeight / 2]) {
    const { unit } = this.whole();
    const [x, y] = this.toPlane(at);
    this.view.unit = Math.min(Math.max(this.view.unit * by, unit / 2), unit * 2000);
    const [nx, ny] = this.toPlane(at);
    this.lookAt(this.view.x + x - nx, this.view.y + y - ny);
  }
  lookAt(x, y) {
    this.isOwn = true; // from now on a person's own, which stays
    this.view.x = Math.min(1.2, Math.max(-1.2, x));
    this.view.y = Math.min(1.2, Math.max(-1.2, y));
    this.draw();
  }
  reset() {
    this.isOwn = false;
    this.draw();
  }

  draw() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      this.paint();
    });
  }
  paint() {
    const { clientWidth: wide, clientHeight: high } = this.root;
    if (!wide || !high) return; // not in sight
    if (!this.view || !this.isOwn) this.view = this.whole();
    const dots = Math.min(devicePixelRatio, 2);
    const [w, h] = [Math.round(wide * dots), Math.round(high * dots)];
    if (this.canvas.width !== w || this.canvas.height !== h) Object.assign(this.canvas, { width: w, height: h });
    const look = this.look ?? this.colours();
    if (!look) return this.draw();
    this.haste();
    const all = (every) => this.painter.draw({ x: this.view.x, y: this.view.y, unit: this.view.unit * dots }, look, this.size() * dots, every);
    all(this.every);
    this.follow();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      if (this.every > 1) all(1);
      this.picture();
    }, REST);
  }
  // While it moves and frames come too slowly, as where a browser draws without a graphics card, one point of so many is drawn;
  // all of them are there again when it rests.
  haste() {
    const took = performance.now() - (this.painted ?? 0);
    this.painted = performance.now();
    if (took > 2 * REST) return; // it has rested
    const own = this.painter.took; // where the page draws by itself, this is all that points cost
    if (own < SLOW / 3 && this.every > 1) return void (this.every /= 2);
    if (own < SLOW) return;
    this.quick = took < QUICK ? (this.quick ?? 0) + 1 : 0;
    if (took > SLOW && this.points.count / this.every > FEW) this.every = Math.min(16, 2 * this.every);
    else if (this.quick > 30 && this.every > 1) (this.every /= 2), (this.quick = 0);
  }
  // Pixels of a point: many are small, and all grow with the zoom.
  size() {
    const { clientWidth, clientHeight } = this.root;
    const room = Math.sqrt((clientWidth * clientHeight) / Math.max(1, this.points.count));
    const zoomed = Math.sqrt(this.view.unit / this.whole().unit);
    return Math.min(14, Math.min(9, Math.max(2, room * 0.3)) * Math.max(1, zoomed));
  }

  // pictures

  async ask(numbers) {
    const ids = numbers.map((n) => this.points.ids[n]);
    const missing = ids.filter((id) => !this.cards.has(id));
    if (missing.length) {
      const found = await getJSON("/api/cards", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ids: missing }) }).catch(() => []);
      for (const id of missing) this.cards.set(id, null);
      for (const card of found) this.cards.set(card[0], card);
    }
    return ids.map((id) => this.cards.get(id));
  }
  // One picture wherever there is room for it, once the view rests.
  async picture() {
    if (!this.showsPictures || !this.points.count || !this.view) return this.shots.replaceChildren();
    const side = 2 ** Math.floor(Math.log2(ROOM / this.view.unit));
    const taken = [];
    const fits = (n) => {
      const [x, y] = this.toScreen(n);
      if (taken.some(([a, b]) => Math.abs(a - x) < ROOM && Math.abs(b - y) < ROOM)) return false;
      return taken.push([x, y]);
    };
    const numbers = this.points.samples(this.frame(), side, MOST.tried).filter(fits).slice(0, MOST.pictures);
    const { points } = this;
    const cards = await this.ask(numbers);
    if (points !== this.points) return;
    const before = new Map([...this.shots.children].map((node) => [node.number, node]));
    const nodes = numbers.flatMap((n, at) => {
      if (!cards[at]) return [];
      const node = before.get(n) ?? thumbnail(cards[at]);
      node.number = n;
      node.removeAttribute("title");
      node.style.borderColor = `var(${TINTS[this.tintOf(points.groups[n])]})`;
      return [node];
    });
    this.shots.replaceChildren(...nodes);
    this.follow();
  }
  // What lies over the canvas goes where its points are.
  follow() {
    for (const node of this.shots.children) {
      const [x, y] = this.toScreen(node.number);
      node.style.transform = `translate(${x - SIDE / 2}px, ${y - SIDE / 2}px)`;
    }
    const isOn = this.current >= 0;
    this.ring.hidden = !isOn;
    if (!isOn) return (this.card.hidden = true);
    const [x, y] = this.toScreen(this.current);
    this.ring.style.transform = `translate(${x}px, ${y}px)`;
    const { clientWidth, clientHeight } = this.root;
    const left = x + 200 > clientWidth ? x - 192 : x + 16;
    this.card.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, Math.min(y - 60, clientHeight - 210))}px)`;
  }
  // Hand or keys are at point n, or at none.
  async point(n, isByKeys) {
    if (n === this.current) return;
    this.current = n;
    if (n < 0) return this.follow();
    const [x, y] = this.toScreen(n);
    const { clientWidth, clientHeight } = this.root;
    if (isByKeys && (x < 20 || y < 20 || x > clientWidth - 20 || y > clientHeight - 20)) this.lookAt(this.points.x(n), this.points.y(n));
    this.follow();
    const [card] = await this.ask([n]);
    if (n !== this.current) return;
    this.card.hidden = !card;
    if (!card) return;
    const words = this.groupOf(n);
    this.card.replaceChildren(thumbnail(card), make("b", {}, card[2]), make("span", {}, words));
    this.follow();
    if (isByKeys) this.told.textContent = `${card[2]}, ${words}${this.host.has(card[0]) ? ", selected" : ""}`;
  }
  groupOf(n) {
    const group = this.points.groups[n];
    return group === OUT ? "does not match" : this.points.head.groups[group].name;
  }
  async open(n) {
    const cards = (await this.ask(this.points.around(n, MOST.neighbours))).filter(Boolean);
    if (cards.length) this.host.open(cards, 0);
  }
}
