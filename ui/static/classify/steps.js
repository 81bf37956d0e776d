// The board's line to the server: steps go out one at a time and are sent again until they are answered; polls bring what
// other windows did. An answer carries `changes`, and `epoch`, which names the pictures and the classifier.
import { getJSON } from "../shared/parts.js";

const PAUSES = [250, 1000, 3000, 0]; // before an unanswered step is sent again

// randomUUID exists only on https and localhost
export const token = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export class Steps {
  waiting = new Map(); // image id -> steps on their way that touch it
  queue = Promise.resolve();
  step = -1;

  // told(answer, kind) gets every answer; lost(sentence) says that a step was not saved; say(sentence) how it stands
  constructor(run, { told, lost, say }) {
    Object.assign(this, { told, lost, say, url: `/api/runs/${encodeURIComponent(run)}` });
    this.client = sessionStorage.sayso ??= token(); // survives a reload, so undo does
  }
  get(path) {
    return getJSON(`${this.url}/${path}`);
  }
  post(path, body = {}) {
    return getJSON(`${this.url}/${path}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  }
  async load() {
    const answer = await getJSON(`${this.url}?client=${this.client}`);
    Object.assign(this, { epoch: answer.epoch, step: answer.step });
    return answer;
  }
  async poll() {
    if (this.waiting.size || this.polling || !this.epoch) return; // before the first answer everything would look new
    this.polling = true;
    try {
      this.answered(await this.get(`changes?client=${this.client}&since=${this.step}`), "poll");
    } catch {
      // away for a moment; the next poll or step will tell
    } finally {
      this.polling = false;
    }
  }
  send(kind, body = {}, ids = []) {
    const op = token();
    for (const id of ids) this.waiting.set(id, (this.waiting.get(id) ?? 0) + 1);
    this.queue = this.queue.then(() => this.deliver(kind, { op, ...body }, ids));
    return this.queue;
  }
  async deliver(kind, body, ids) {
    let answer, refusal;
    for (const pause of PAUSES) {
      try {
        answer = await this.post(kind, { ...body, client: this.client, since: this.step });
        break;
      } catch (error) {
        refusal = error;
        if (error.status >= 400 && error.status < 500) break; // refused: asking again would not help
        if (pause) this.say("Not saved yet, trying again.");
        await new Promise((done) => setTimeout(done, pause));
      }
    }
    for (const id of ids) {
      const left = this.waiting.get(id) - 1;
      left ? this.waiting.set(id, left) : this.waiting.delete(id);
    }
    if (answer) this.answered(answer, kind);
    else this.lost(refusal.status ? refusal.message : "Not saved: the server is away. Is Sayso still running?");
  }
  answered(answer, kind) {
    if (answer.epoch === this.epoch && answer.step < this.step) return; // overtaken by a later answer
    const stale = answer.epoch !== this.epoch;
    // a poll that was on its way while a step was done brings what the answer to the step has brought
    if (!stale && kind === "poll" && answer.step === this.step) answer.changes = [];
    if (!stale) this.step = answer.step;
    answer.changes = answer.changes.filter(([id]) => !this.waiting.has(id));
    this.told(answer, kind, stale);
  }
}
