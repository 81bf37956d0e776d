// Where someone is on the page, of which the session keeps track: elements say what they show (`moved`), and are told when to
// go elsewhere (the event "go"). `search` is what the library is asked; `hasAsked` is whether someone has asked for anything.
class Where extends EventTarget {
  search = {};
  hasAsked = false;
  moved(change) {
    if (change.search && JSON.stringify(change.search) !== JSON.stringify(this.search)) this.hasAsked = true;
    Object.assign(this, change);
    this.dispatchEvent(new Event("moved"));
  }
  go(search) {
    if (JSON.stringify(search) === JSON.stringify(this.search)) return;
    this.search = search;
    this.dispatchEvent(new Event("go"));
  }
}
export const where = new Where();
