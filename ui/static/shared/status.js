// The line about the model and the library. It also says "news" whenever a job or a training is new, in whichever window
// that was begun; the page looks at nothing again before. And when a bar has stood still from one look to the next: answers
// may come in another order than they were asked for, and a late one may have put to rest the timer that moves the bar.
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
      const bars = Array.from(document.querySelectorAll(".progress"), (bar) => bar.innerHTML).join();
      if (news !== this.news || (bars && bars === this.bars)) this.dispatchEvent(new CustomEvent("news", { bubbles: true }));
      this.news = news;
      this.bars = bars;
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
