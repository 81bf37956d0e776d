// The frame's own keys and buttons: the rail, the sheet that it is on a phone, the drawer, and files dropped anywhere.
// What is open stands on the outermost part of the page: Gradio changes nothing there, and it sets the name of a class before
// every rule of frame.css, so that the rules do not reach further out.
const state = {}; // data-open, data-rail and data-dropping
const phone = matchMedia("(max-width: 700px)");
let before = null; // what had the focus

export function open(what) {
  before = document.activeElement;
  set("open", what);
  requestAnimationFrame(() => visible(`.frame > .${what} [data-frame=close]`)?.focus({ preventScroll: true })); // it slides in: to scroll to it would move the page
  told();
}
export function close() {
  if (!state.open) return;
  set("open");
  before?.focus?.({ preventScroll: true });
  told();
}
// The rail: a sheet on a phone, else it is there or not, also after a reload.
export function toggleRail() {
  if (phone.matches) return state.open ? close() : open("rail");
  set("rail", state.rail ? undefined : "off");
  localStorage.saysoRail = state.rail ?? "";
  told();
}
function set(name, value) {
  state[name] = value;
  const page = document.querySelector("main.contain > .column");
  if (!page) return;
  if (value === undefined) delete page.dataset[name];
  else page.dataset[name] = value;
}
function told() {
  const isThere = phone.matches ? state.open === "rail" : !state.rail;
  for (const key of document.querySelectorAll("[data-frame=rail]")) key.setAttribute("aria-expanded", isThere);
}
const visible = (selector) => [...document.querySelectorAll(selector)].find((node) => node.offsetParent);

// Gradio builds the page late.
function begun() {
  if (!document.querySelector("main.contain > .column") || !document.querySelector("[data-frame=rail]")) return false;
  if (localStorage.saysoRail) set("rail", "off");
  told();
  const main = document.querySelector(".gradio-container > .main");
  new MutationObserver(() => plainNotes(main)).observe(main, { childList: true });
  return true;
}
// The head of a note of Gradio's is a button with a button in it, which no screen reader can tell apart: the one that closes stays.
function plainNotes(main) {
  const notes = main.querySelector(":scope > .toast-wrap");
  if (!notes || notes === plainNotes.of) return;
  plainNotes.of = notes;
  const plain = () => notes.querySelectorAll(".toast-header[role]").forEach((head) => ["role", "tabindex"].forEach((name) => head.removeAttribute(name)));
  plain();
  new MutationObserver(plain).observe(notes, { childList: true, subtree: true });
}
phone.addEventListener("change", told);
if (!begun()) new MutationObserver((_, watch) => begun() && watch.disconnect()).observe(document, { childList: true, subtree: true });

addEventListener("click", (event) => {
  const key = event.target.closest?.("[data-frame], .opens-drawer");
  const what = key && (key.dataset.frame ?? "drawer");
  if (what === "rail") toggleRail();
  else if (what === "close") close();
  else if (what) open(what);
  else if (phone.matches && state.open === "rail" && event.composedPath()[0].closest?.(".foot button.primary, .button.main")) close(); // to see what comes of it
  else if (phone.matches && state.open && !event.target.closest?.(".rail, .drawer")) close();
  else if (event.target.closest?.("[role=tab]")) close();
});
// Escape closes what is open. P works where pictures have the focus: a letter that works everywhere would surprise who types.
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && state.open && !event.defaultPrevented) return close();
  const [first] = event.composedPath();
  const isAtPictures = event.target.matches?.("sayso-board, sayso-grid") && !first.matches("input, select, textarea");
  if (event.key.toLowerCase() === "p" && isAtPictures && !isSwitchedOff(event) && !event.ctrlKey && !event.metaKey && !event.altKey) toggleRail();
});

// A sentence that leads to a part of the panel opens it.
addEventListener("click", (event) => {
  const part = event.target.closest?.("[data-opens]") && document.getElementById(event.target.closest("[data-opens]").dataset.opens);
  const head = part?.querySelector(".label-wrap");
  if (!head) return;
  if (!head.classList.contains("open")) head.click();
  head.focus();
  requestAnimationFrame(() => part.scrollIntoView({ block: "start" })); // by then it is as high as what it holds
});

// Single letters, digits and signs are keys until someone switches them off: who speaks to the computer presses many (WCAG 2.1.4).
export const hasLetters = () => localStorage.saysoLetters !== "off";
export function switchLetters(isOn) {
  localStorage.saysoLetters = isOn ? "" : "off";
}
export const isSwitchedOff = ({ key, ctrlKey, metaKey }) => !hasLetters() && key.length === 1 && key !== " " && !ctrlKey && !metaKey;

// The files of what was dropped; of a folder, the pictures in it and below, but for hidden ones.
const isPicture = ({ type, name }) => !name.startsWith(".") && (!type || type.startsWith("image/"));
async function within(entry) {
  if (entry.isFile) return [await new Promise((done, failed) => entry.file(done, failed))];
  if (entry.name.startsWith(".")) return [];
  const reader = entry.createReader();
  const found = [];
  // a hundred at a time, until there are none left
  for (let some; (some = await new Promise((done, failed) => reader.readEntries(done, failed))).length; ) found.push(...some);
  return (await Promise.all(found.map(within))).flat().filter(isPicture);
}

// Files that are dropped anywhere go to a field of Gradio, which sends them, with its limits: on the first tab they are
// sorted, and on every other one they come into the library, whose tab is then opened. In the capture phase, because Gradio's
// fields stop these events; onto such a field they go as they are. Pictures of the board that are dragged are no files.
const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
const isSorting = () => document.querySelector("#classify")?.offsetParent;
const field = () => document.querySelector(`${isSorting() ? "#drop" : "#library-drop"} input[type=file]`);
const isForAField = (event) => event.target.closest?.(".drawer, .block:has(input[type=file])") && !event.target.closest("#drop, #library-drop");
const takes = (event) => hasFiles(event) && !isForAField(event);
addEventListener("dragover", (event) => {
  if (!takes(event)) return;
  event.preventDefault();
  set("dropping", "");
}, true);
addEventListener("dragleave", (event) => event.relatedTarget ?? set("dropping"), true);
addEventListener("drop", async (event) => {
  set("dropping");
  if (!takes(event)) return;
  event.preventDefault();
  event.stopPropagation();
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean); // now: later they are gone
  const dropped = [...event.dataTransfer.files];
  const files = new DataTransfer();
  for (const file of entries.some((entry) => entry.isDirectory) ? (await Promise.all(entries.map(within))).flat() : dropped) files.items.add(file);
  if (!files.items.length) return;
  if (!isSorting() && !document.querySelector("#library")?.offsetParent) {
    [...document.querySelectorAll("#tabs > .tab-wrapper [role=tab]")].find((tab) => tab.textContent.trim() === "Library")?.click();
  }
  // Gradio builds a tab when it is first opened
  for (let turn = 0; turn < 200 && !field(); turn++) await new Promise((done) => requestAnimationFrame(done));
  if (!field()) return;
  field().files = files.files;
  field().dispatchEvent(new Event("change", { bubbles: true }));
}, true);

// A press is answered at once, also where the server takes half a second to say what comes of it.
const ANSWERED = 800; // ms
document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("button.primary");
  if (!button || button.disabled) return;
  button.classList.add("asked");
  setTimeout(() => button.classList.remove("asked"), ANSWERED);
});
