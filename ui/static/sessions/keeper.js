// Keeps what stands in the page's fields in a session, a moment after the last key, and when the window goes. Another window
// may have the same session open: then neither overwrites the other, and one is asked.
import { getJSON } from "../shared/parts.js";
import { may } from "../shared/person.js";

const WAIT = 400; // ms after the last key
const PATIENCE = 30000; // ms for which the fields may take to be those of the session that was opened, on a busy machine
const PAUSE = 5000; // ms from one of them to the next
const POLL = 2000;

const json = (body) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
const bare = ({ names, templates, many, source }) => ({ names: names ?? "", templates: templates ?? "", many: Boolean(many), source: source ?? "all" });
const board = () => document.querySelector("sayso-board")?.getAttribute("run") ?? "";
const key = (fields) => JSON.stringify(bare(fields));

let latest; // what stands in the fields, also for an element that the page makes anew
document.addEventListener("sayso-fields", (event) => (latest = event.detail));

export class Keeper {
  // told: say(words), renamed(name), sets(label sets), overtaken(words), elsewhere() for a change in another window, gone()
  constructor(told) {
    this.told = told;
  }
  start() {
    this.ends = new AbortController();
    const { signal } = this.ends;
    document.addEventListener("sayso-fields", (event) => this.take(event.detail), { signal });
    document.addEventListener("input", (event) => this.typed(event), { signal });
    addEventListener("pagehide", () => this.isOwing && this.post(true), { signal });
    this.clock = setInterval(() => !document.hidden && this.poll(), POLL);
  }
  stop() {
    this.ends.abort();
    clearInterval(this.clock);
  }
  // Who types does not wait for the fields to be filled: what stands there is theirs, also if they go on to another session.
  typed({ isTrusted, target }) {
    if (!isTrusted || !target.closest?.("#labels, #templates")) return;
    this.isTyped = true;
    this.isFilling = false;
  }
  // Another session is on its way: what stands in the fields until it has begun is of neither. Should it never come, this one
  // goes on.
  hold() {
    const { session } = this;
    this.session = null;
    this.isTyped = false;
    clearTimeout(this.timer);
    clearTimeout(this.held);
    this.held = setTimeout(() => ((this.session ??= session), this.soon()), PATIENCE);
  }
  // `fills` says that the fields are on their way to what the session has: until they are there, they are another's. Fields that
  // came and stay otherwise were typed meanwhile.
  begin(session, fills) {
    Object.assign(this, { session, fields: latest, kept: key(session.state), overtaken: false, differs: 0 });
    clearTimeout(this.held);
    clearTimeout(this.patience);
    this.isFilling = fills && !this.isTyped && !(this.fields && key(this.fields) === this.kept);
    if (this.isFilling) this.wait(PATIENCE);
    this.soon();
  }
  wait(most) {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => ((this.isFilling = false), this.soon()), most);
  }
  take(fields) {
    this.fields = fields;
    if (this.isFilling && key(fields) === this.kept) this.isFilling = false;
    if (this.isFilling) this.wait(PAUSE);
    this.soon();
  }
  get isOwing() {
    return Boolean(may("labeller") && this.session && this.fields && !this.isFilling && !this.overtaken && key(this.fields) !== this.kept);
  }
  soon() {
    clearTimeout(this.timer);
    if (this.isOwing) this.timer = setTimeout(() => this.post(), WAIT);
  }
  // What is owed goes out before another session comes.
  async settle() {
    clearTimeout(this.timer);
    if (this.isOwing) await this.post();
    await this.sending;
    const { session } = this;
    if (!session || !board()) return;
    const now = await getJSON(`/api/sessions/${session.id}/pulse`);
    if (session === this.session && !now.gone) await this.claim(now);
  }
  // Sorted before this window knew its session: the board is the session's, and not to be taken away. Whether it was so.
  async claim(now) {
    if (!board() || now.run || !may("labeller") || now.edition !== this.session.edition) return false;
    await getJSON(`/api/sessions/${this.session.id}/board`, json({ run: board() }));
    return true;
  }
  post(isLast = false, expected = this.session.edition) {
    if (this.sending && !isLast) return this.sending.then(() => this.soon());
    this.sending = this.send(bare(this.fields), expected, isLast).finally(() => (this.sending = null));
    return this.sending;
  }
  async send(fields, expected, keepalive) {
    const { session } = this;
    try {
      const answer = await getJSON(`/api/sessions/${session.id}`, { ...json({ fields, expected }), keepalive });
      if (session !== this.session) return;
      if (answer.gone) return this.told.gone();
      if (answer.overtaken) {
        this.overtaken = true;
        return this.told.overtaken(answer.words);
      }
      session.edition = answer.session.edition;
      this.kept = key(fields);
      this.told.say("");
      setTimeout(() => this.soon());
    } catch (error) {
      if (session !== this.session) return;
      this.told.say(error.status ? error.message : "Not kept yet; trying again.");
      if (!error.status) this.timer = setTimeout(() => this.isOwing && this.post(), POLL);
    }
  }
  // Mine, whatever the other window has written.
  insist() {
    this.overtaken = false;
    return this.post(false, null);
  }
  look(view) {
    if (!this.session || !may("labeller")) return;
    return getJSON(`/api/sessions/${this.session.id}/view`, { ...json(view), keepalive: true }).catch(() => {}); // said by the next save
  }
  async poll() {
    const { session } = this;
    if (!session || this.sending || this.isOwing || this.overtaken || this.isFilling) return;
    try {
      const now = await getJSON(`/api/sessions/${session.id}/pulse`);
      if (session !== this.session || this.sending || this.isOwing) return;
      if (now.gone) return this.told.gone();
      if (now.name !== session.name) this.told.renamed(now.name);
      this.told.sets(now.sets);
      const isOther = now.edition !== session.edition || (now.run !== board() && !now.busy);
      this.differs = isOther ? this.differs + 1 : 0;
      if (this.differs < 2) return; // an answer may be on its way to this window
      this.differs = 0;
      if (!(await this.claim(now))) this.told.elsewhere();
    } catch {
      // the next one, or what is kept next, says it
    }
  }
}
