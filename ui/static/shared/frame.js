// The frame's own keys and buttons: the rail, the sheet that it is on a phone, the drawer, and files dropped anywhere.
// What is open stands on the root element, where Gradio changes nothing.
const root = document.documentElement;
const phone = matchMedia("(max-width: 700px)");
let before = null; // what had the focus

export function open(what) {
  before = document.activeElement;
  root.dataset.open = what;
  requestAnimationFrame(() => visible(`.frame > .${what} [data-frame=close]`)?.focus());
  told();
}
export function close() {
  if (!root.dataset.open) return;
  delete root.dataset.open;
  before?.focus?.({ preventScroll: true });
  told();
}
// The rail: a sheet on a phone, else it is there or not, also after a reload.
export function toggleRail() {
  if (phone.matches) return root.dataset.open ? close() : open("rail");
  keep(root.dataset.rail !== "off");
}
function keep(off) {
  if (off) localStorage.saysoRail = root.dataset.rail = "off";
  else {
    delete root.dataset.rail;
    localStorage.removeItem("saysoRail");
  }
  told();
}
function told() {
  const isThere = phone.matches ? root.dataset.open === "rail" : root.dataset.rail !== "off";
  for (const key of document.querySelectorAll("[data-frame=rail]")) key.setAttribute("aria-expanded", isThere);
}
const visible = (selector) => [...document.querySelectorAll(selector)].find((node) => node.offsetParent);

if (localStorage.saysoRail) root.dataset.rail = "off";

addEventListener("click", (event) => {
  const what = event.target.closest?.("[data-frame]")?.dataset.frame;
  if (what === "rail") toggleRail();
  else if (what === "close") close();
  else if (what) open(what);
  else if (phone.matches && root.dataset.open && !event.target.closest?.(".rail, .drawer")) close();
  else if (event.target.closest?.("[role=tab]")) close();
});
// Escape closes what is open. P works where pictures have the focus: a letter that works everywhere would surprise who types.
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && root.dataset.open && !event.defaultPrevented) return close();
  const [first] = event.composedPath();
  const isAtPictures = event.target.matches?.("sayso-board, sayso-grid") && !first.matches("input, select, textarea");
  if (event.key.toLowerCase() === "p" && isAtPictures && !event.ctrlKey && !event.metaKey && !event.altKey) toggleRail();
});

// Files that are dropped anywhere go to the field of the tab that is open: Gradio sends them, with its limits. In the capture
// phase, because Gradio's fields stop these events. Pictures of the board that are dragged are no files.
const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
const field = () => document.querySelector("#drop input[type=file]");
const takes = (event) => hasFiles(event) && field() && document.querySelector("#classify")?.offsetParent && !event.target.closest?.(".drawer");
addEventListener("dragover", (event) => {
  if (!takes(event)) return;
  event.preventDefault();
  root.dataset.dropping = "";
}, true);
addEventListener("dragleave", (event) => !event.relatedTarget && delete root.dataset.dropping, true);
addEventListener("drop", (event) => {
  delete root.dataset.dropping;
  if (!takes(event)) return;
  event.preventDefault();
  event.stopPropagation();
  const files = new DataTransfer();
  for (const file of event.dataTransfer.files) files.items.add(file);
  field().files = files.files;
  field().dispatchEvent(new Event("change", { bubbles: true }));
}, true);
