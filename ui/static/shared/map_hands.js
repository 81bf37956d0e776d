// What hand and keys do on the plane of a map. Drag moves, the wheel and two fingers zoom, Shift and drag, or the lasso, draw a
// line around some; arrows go from one picture to the next.
const REACH = 12; // pixels from a point within which it is meant
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class Hands {
  wantsLasso = false;
  down = new Map(); // pointers that are down: id -> [x, y]

  constructor(plane) {
    this.plane = plane;
    const { root } = plane;
    root.onpointerdown = (event) => this.press(event);
    root.onpointermove = (event) => this.move(event);
    root.onpointerup = root.onpointercancel = (event) => this.lift(event);
    root.onpointerleave = () => this.down.size || plane.point(-1);
    root.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    root.onkeydown = (event) => this.keys(event);
    root.onblur = () => plane.point(-1);
  }
  at(event) {
    const { plane } = this;
    const frame = plane.root.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }
  under(place, reach = REACH) {
    const { plane } = this;
    return plane.view ? plane.points.nearest(...plane.toPlane(place), reach / plane.view.unit) : -1;
  }
  press(event) {
    const { plane } = this;
    if (event.button || !plane.view) return;
    const place = this.at(event);
    plane.root.setPointerCapture(event.pointerId);
    this.down.set(event.pointerId, place);
    this.began = this.down.size === 1 ? place : null;
    this.line = this.began && (this.wantsLasso || event.shiftKey) ? [plane.toPlane(place)] : null;
  }
  move(event) {
    const { plane } = this;
    const place = this.at(event);
    const was = this.down.get(event.pointerId);
    if (!was) return void (event.pointerType === "mouse" && plane.point(this.under(place)));
    this.down.set(event.pointerId, place);
    if (this.line) return this.lengthen(place);
    if (this.down.size === 1) {
      if (this.began && Math.hypot(place[0] - this.began[0], place[1] - this.began[1]) > 4) this.began = null; // no click any more
      if (!this.began) plane.lookAt(plane.view.x - (place[0] - was[0]) / plane.view.unit, plane.view.y + (place[1] - was[1]) / plane.view.unit);
      return;
    }
    const [other] = [...this.down].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    const far = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]);
    if (far(was)) plane.zoom(far(place) / far(was), [(place[0] + other[0]) / 2, (place[1] + other[1]) / 2]);
  }
  lift(event) {
    const { plane } = this;
    if (!this.down.delete(event.pointerId)) return;
    const { line, began } = this;
    this.line = null;
    plane.shape.removeAttribute("d");
    if (event.type === "pointercancel") return;
    if (line?.length > 2) {
      const inside = plane.points.within(line);
      return plane.host.choose(inside.map((n) => plane.points.ids[n]), event.shiftKey || event.ctrlKey || event.metaKey);
    }
    if (!began) return;
    const isMouse = event.pointerType === "mouse";
    const n = this.under(began, isMouse ? REACH : 2 * REACH);
    if (n < 0) return plane.point(-1);
    if (event.ctrlKey || event.metaKey || event.shiftKey) return plane.host.toggle(plane.points.ids[n]);
    if (isMouse || n === plane.current) return plane.open(n); // a finger shows what it is first
    plane.point(n);
  }
  lengthen(place) {
    const { plane } = this;
    const last = plane.toPlane(place);
    this.line.push(last);
    const { x, y, unit } = plane.view;
    const screen = ([a, b]) => `${plane.root.clientWidth / 2 + (a - x) * unit},${plane.root.clientHeight / 2 - (b - y) * unit}`;
    plane.shape.setAttribute("d", `M${this.line.map(screen).join("L")}Z`);
  }
  wheel(event) {
    const { plane } = this;
    if (!plane.view) return;
    event.preventDefault();
    plane.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), this.at(event));
  }

  keys(event) {
    const { plane } = this;
    if (event.altKey || !plane.points.count || !plane.view) return;
    const ctrl = event.ctrlKey || event.metaKey;
    const arrow = ARROWS[event.key];
    const middle = [plane.root.clientWidth / 2, plane.root.clientHeight / 2];
    if (arrow && event.shiftKey) plane.lookAt(plane.view.x + (arrow[0] * 80) / plane.view.unit, plane.view.y + (arrow[1] * 80) / plane.view.unit);
    else if (arrow) plane.point(plane.current < 0 ? this.under(middle, Infinity) : plane.points.toward(plane.current, arrow), true);
    else if (ctrl && event.key.toLowerCase() === "a") this.choose(() => true);
    else if (ctrl) return;
    else if (event.key === "+" || event.key === "=") plane.zoom(1.4);
    else if (event.key === "-") plane.zoom(1 / 1.4);
    else if (event.key === "0") plane.reset();
    else if (event.key.toLowerCase() === "v") this.inView();
    else if (event.key === "Escape") plane.host.clear();
    else if (event.key === "Enter" && plane.current >= 0) plane.open(plane.current);
    else if (event.key === " " && plane.current >= 0) plane.host.toggle(plane.points.ids[plane.current]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  choose(is) {
    const { plane } = this;
    plane.host.choose(plane.points.those(is).map((n) => plane.points.ids[n]), false);
  }
  inView() {
    const { plane } = this;
    const { left, right, low, high } = plane.frame();
    this.choose((x, y) => x >= left && x <= right && y >= low && y <= high);
  }
}
