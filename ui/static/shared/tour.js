// A first tour, for who asks for it: a card says one thing to do, sees that it was done, and goes on. It can be left at any step;
// it begins by its button only, which goes once it was pressed, and by the one in the help with the keys.
import { make, styled } from "./parts.js";

const LOOK = 300; // milliseconds between two looks at what was done
const inside = (host, part) => document.querySelector(host)?.shadowRoot?.querySelector(part);
const button = (words, root = document) => [...(root?.querySelectorAll("button") ?? [])].find((one) => one.textContent.trim() === words);
const tab = (name) => [...document.querySelectorAll("#tabs > .tab-wrapper [role=tab]")].find((one) => one.textContent.trim() === name);
const isAt = (name) => tab(name)?.getAttribute("aria-selected") === "true";
const board = () => document.querySelector("sayso-board");
const labelled = () => [...(board()?.cards?.values() ?? [])].filter(({ said }) => said !== null && said !== undefined).length;
const classes = () => document.querySelector("sayso-classes")?.list?.length ?? 0;
const isSorted = () => board()?.piles?.size > 0 && board().labels?.length === classes(); // the names come with the pictures, or after
const searched = () => {
  const grid = document.querySelector("sayso-grid");
  return Boolean(grid?.question?.q && grid.answer);
};

// `at` finds what a step speaks of, which gets a ring; `done` sees that it was done, `from` being what there was when it began.
const STEPS = [
  { words: "Sayso sorts photos by names. Photos and drawings come along: choose “Try the sample photos”.", at: () => button("Try the sample photos"), done: isSorted },
  { words: "Names decide. Type “moon” below the classes and press Enter; the board changes at once.", at: () => inside("sayso-classes", "textarea"), count: classes, goal: 1 },
  { words: "The starter knows photos better than drawings: correct three images. Choose one, then press its number, or N for none.", at: () => inside("sayso-board", ".strip") ?? board(), count: labelled, goal: 3 },
  { words: "Your labels teach. “Label next” asks for those that teach most. The panel says what they are worth.", at: () => button("Label next", board()?.shadowRoot) },
  { words: "Search in words: open the Library and look for “a rocket before the launch”.", at: () => (isAt("Library") ? document.querySelector("sayso-place[name=search]") : tab("Library")), done: () => isAt("Library") && searched() },
  { words: "Who gets which label, and what if a class is added? The Bias tab asks that of photos of people. Open it.", at: () => tab("Bias"), done: () => isAt("Bias") },
  { words: "That is all. Press ? on the Classify tab for the keys, and for this tour." },
];

class Tour extends HTMLElement {
  constructor() {
    super();
    const root = styled(this, "shared/tour");
    this.ring = make("div", { class: "ring", hidden: "" });
    this.words = make("p", { "aria-live": "polite" });
    this.place = make("span", { class: "note" });
    this.next = make("button", { type: "button", onclick: () => this.go(this.step + 1) }, "Next");
    this.leave = make("button", { type: "button", onclick: () => this.remove() }, "Leave the tour");
    root.append(this.ring, make("section", { "aria-label": "A first tour" }, this.words, make("div", { class: "line" }, this.place, this.leave, this.next)));
  }
  connectedCallback() {
    this.go(0);
    this.looking = setInterval(() => this.look(), LOOK);
  }
  disconnectedCallback() {
    clearInterval(this.looking);
  }
  go(step) {
    this.step = step;
    const { words, count } = STEPS[step];
    this.from = count?.();
    this.words.textContent = words;
    const isLast = step === STEPS.length - 1;
    this.next.hidden = isLast;
    this.leave.textContent = isLast ? "Done" : "Leave the tour";
    this.look();
  }
  look() {
    const { at, done, count, goal } = STEPS[this.step];
    const made = count && Math.max(0, Math.min(goal, count() - this.from));
    if (done?.() || (goal && made === goal)) return this.go(this.step + 1);
    const place = `${this.step + 1} of ${STEPS.length}${goal > 1 ? ` · ${made} of ${goal}` : ""}`;
    if (this.place.textContent !== place) this.place.textContent = place;
    const box = at?.()?.getBoundingClientRect();
    this.ring.hidden = !box?.width;
    if (box) Object.assign(this.ring.style, { left: `${box.left - 4}px`, top: `${box.top - 4}px`, width: `${box.width + 8}px`, height: `${box.height + 8}px` });
  }
}
customElements.define("sayso-tour", Tour);

export function begin() {
  localStorage.saysoToured = "yes";
  document.documentElement.dataset.toured = "";
  tab("Classify")?.click();
  document.querySelector("sayso-tour")?.remove();
  document.body.append(document.createElement("sayso-tour"));
}

if (localStorage.saysoToured) document.documentElement.dataset.toured = "";
addEventListener("click", (event) => event.target.closest?.("#tour") && begin());
