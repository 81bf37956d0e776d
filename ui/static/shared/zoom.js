// Zooming into the picture of the viewer: wheel, +, - and 0, a double click, two fingers; a drag moves it. Scale 1 is all of it.
const MOST = 8;

export class Zoom {
  onchange = () => {}; // what else is to be zoomed alike

  constructor(stage, image) {
    Object.assign(this, { stage, image, pointers: new Map() });
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.by(Math.exp(-event.deltaY / 300), ...this.at(event));
    }, { passive: false });
    // the second half of the double click that opened the picture is none here
    stage.ondblclick = (event) => this.presses > 1 && (this.scale > 1 ? this.reset() : this.by(2.5, ...this.at(event)));
    stage.onpointerdown = (event) => {
      if (event.button) return;
      event.preventDefault(); // no dragging of the image itself
      this.presses++;
      stage.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, this.at(event));
    };
    stage.onpointermove = (event) => this.pointers.has(event.pointerId) && this.drag(event.pointerId, this.at(event));
    stage.onpointerup = stage.onpointercancel = (event) => this.pointers.delete(event.pointerId);
    this.reset();
  }
  at(event) {
    const { left, top } = this.stage.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }
  reset() {
    Object.assign(this, { scale: 1, x: 0, y: 0, presses: 0 });
    this.draw();
  }
  // The point under the pointer stays where it is.
  by(factor, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
    const scale = Math.min(MOST, Math.max(1, this.scale * factor));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.draw();
  }
  drag(id, [x, y]) {
    const [was, other] = [this.pointers.get(id), [...this.pointers].find(([one]) => one !== id)?.[1]];
    this.pointers.set(id, [x, y]);
    if (other) return this.by(Math.hypot(x - other[0], y - other[1]) / Math.max(1, Math.hypot(was[0] - other[0], was[1] - other[1])), (x + other[0]) / 2, (y + other[1]) / 2);
    this.x += x - was[0];
    this.y += y - was[1];
    this.draw();
  }
  key(key) {
    if (key === "+" || key === "=") this.by(1.5);
    else if (key === "-") this.by(1 / 1.5);
    else if (key === "0") this.reset();
  }
  follow({ scale, x, y }) {
    Object.assign(this, { scale, x, y });
    this.draw(false);
  }
  draw(isOwn = true) {
    const { stage, scale } = this;
    const within = (value, room) => Math.min(0, Math.max(room * (1 - scale), value));
    this.x = within(this.x, stage.clientWidth);
    this.y = within(this.y, stage.clientHeight);
    this.image.style.transform = scale > 1 ? `translate(${this.x}px, ${this.y}px) scale(${scale})` : "";
    stage.classList.toggle("zoomed", scale > 1);
    if (isOwn) this.onchange();
  }
}
