// Who is signed in, on the page's bar, and the way out. Nothing where there are no accounts. What a role may not do is hidden
// by rules in the page's head (ui/guard/offered.py).
import { getJSON, make } from "./parts.js";

const told = document.querySelector("meta[name=sayso-person]");
export const person = told && { name: told.content, role: told.dataset.role };
const ROLES = ["viewer", "labeller", "owner"];
export const may = (least) => !person || ROLES.indexOf(person.role) >= ROLES.indexOf(least);
if (person) document.documentElement.dataset.role = person.role;

class Person extends HTMLElement {
  connectedCallback() {
    if (!person || this.firstChild) return;
    this.append(make("span", { title: `You are ${person.name}; your role is ${person.role}` }, person.name));
    if (told.dataset.way === "proxy") return; // who let them in lets them out
    this.append(make("button", { type: "button", class: "link", onclick: () => this.leave() }, "Sign out"));
  }
  async leave() {
    const { to } = await getJSON("/sign-out", { method: "POST" });
    location.href = to;
  }
}
customElements.define("sayso-person", Person);
