// <sayso-place name="lesson">: a place elsewhere on the page for a part of an element of the stage: the board's dial in the
// rail, its downloads in the drawer, the grid's search in the top bar. The part stays the element's own; only its place is here.
import { styled } from "./parts.js";

const parts = new Map(); // name -> {nodes, sheets}, also of a place that is not there yet

class Place extends HTMLElement {
  connectedCallback() {
    this.fill();
  }
  fill() {
    const { nodes = [], sheets = [] } = parts.get(this.getAttribute("name")) ?? {};
    this.toggleAttribute("filled", nodes.length > 0);
    if (!nodes.length && !this.root) return;
    this.root ??= styled(this, ...sheets);
    for (const old of [...this.root.children]) if (!old.matches("link, style") && !nodes.includes(old)) old.remove();
    this.root.append(...nodes);
  }
}

export function put(name, sheets, ...nodes) {
  parts.set(name, { sheets, nodes });
  for (const place of document.querySelectorAll(`sayso-place[name="${name}"]`)) place.fill?.();
}

export function show(name, isShown) {
  for (const place of document.querySelectorAll(`sayso-place[name="${name}"]`)) place.hidden = !isShown;
}

customElements.get("sayso-place") ?? customElements.define("sayso-place", Place);
