// The line about the model and the library. It also says "news" whenever a job or a training is new, in whichever window
// that was begun; the page looks at nothing again before.
import { getJSON, make } from "./parts.js";

const EVERY = 2000; // milliseconds
const AWAY = "Sayso does not answer. Is it still running?";

class Status extends HTMLElement {
  connectedCallback() {
    this.line ??= this.appendChild(make("p", { class: "subtle", role: "status" }));
    this.look();
  }
  disconnectedCallback() {
    clearTimeout(this.next);
  }
  async look() {
    clearTimeout(this.next);
    try {
      const { status, news } = await getJSON("/api/pulse");
      this.say(status);
      if (news !== this.news) this.dispatchEvent(new CustomEvent("news", { bubbles: true }));
      this.news = news;
    } catch {
      this.say(AWAY);
    }
    if (this.isConnected) this.next = setTimeout(() => this.look(), EVERY);
  }
  say(words) {
    if (this.line.textContent !== words) this.line.textContent = words; // said anew, it would be read aloud anew
  }
}
customElements.define("sayso-status", Status);
