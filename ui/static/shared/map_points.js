// The points of a map as the server packs them (ui/library/map.py), and what is asked of them: the nearest one, the next one
// in a direction, those inside a line drawn around them. Each is one pass over plain arrays: milliseconds for 100,000.
export const OUT = 65535; // the group of what does not answer the question

export class Points {
  constructor(buffer = null) {
    const length = buffer ? new Uint32Array(buffer, 0, 1)[0] : 0;
    this.head = buffer ? JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))) : { shown: 0, groups: [] };
    const count = (this.count = this.head.shown);
    const at = 4 + length;
    this.ids = buffer ? new Uint32Array(buffer, at, count) : new Uint32Array();
    this.places = buffer ? new Float32Array(buffer, at + 4 * count, 2 * count) : new Float32Array();
    this.groups = buffer ? new Uint16Array(buffer, at + 12 * count, count) : new Uint16Array();
    this.hidden = new Set(); // groups that are left out while others are looked at alone
  }
  x(n) {
    return this.places[2 * n];
  }
  y(n) {
    return this.places[2 * n + 1];
  }
  // The nearest within `reach`, or -1; what answers the question goes before what does not.
  nearest(x, y, reach) {
    const { places, groups, hidden, count } = this;
    let best = -1, least = reach * reach;
    for (let n = 0; n < count; n++) {
      const dx = places[2 * n] - x, dy = places[2 * n + 1] - y;
      const far = (dx * dx + dy * dy) * (groups[n] === OUT ? 4 : 1);
      if (far <= least && !hidden.has(groups[n])) (least = far), (best = n);
    }
    return best;
  }
  // The next one from n in a direction, a unit vector: the nearest within 45 degrees of it; n itself where there is none.
  toward(n, [ax, ay]) {
    const { places, groups, hidden, count } = this;
    const x = this.x(n), y = this.y(n);
    let best = n, least = Infinity;
    for (let m = 0; m < count; m++) {
      if (groups[m] === OUT || hidden.has(groups[m])) continue;
      const dx = places[2 * m] - x, dy = places[2 * m + 1] - y;
      const along = dx * ax + dy * ay, across = Math.abs(dx * ay - dy * ax);
      if (along <= 1e-7 || across > along) continue;
      const far = along + 2 * across;
      if (far < least) (least = far), (best = m);
    }
    return best;
  }
  // Those inside a polygon, a list of [x, y]; by how often a ray from each meets the line (even and odd).
  within(line) {
    const xs = line.map(([x]) => x), ys = line.map(([, y]) => y);
    const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    return this.those((x, y) => {
      if (x < left || x > right || y < low || y > high) return false;
      let inside = false;
      for (let i = 0, j = xs.length - 1; i < xs.length; j = i++)
        if (ys[i] > y !== ys[j] > y && x < ((xs[j] - xs[i]) * (y - ys[i])) / (ys[j] - ys[i]) + xs[i]) inside = !inside;
      return inside;
    });
  }
  // The numbers of those that answer the question, are not switched off, and of whose place `is` is true.
  those(is) {
    const { places, groups, hidden, count } = this;
    const found = [];
    for (let n = 0; n < count; n++)
      if (groups[n] !== OUT && !hidden.has(groups[n]) && is(places[2 * n], places[2 * n + 1])) found.push(n);
    return found;
  }
  // The numbers of the nearest ones to n, itself first.
  around(n, most) {
    const { places, groups, hidden, count } = this;
    const x = this.x(n), y = this.y(n);
    const best = []; // [how far, number], the nearest first
    for (let m = 0; m < count; m++) {
      if (groups[m] === OUT || hidden.has(groups[m])) continue;
      const far = m === n ? -1 : (places[2 * m] - x) ** 2 + (places[2 * m + 1] - y) ** 2;
      if (best.length === most && far >= best[most - 1][0]) continue;
      let at = best.length;
      while (at > 0 && best[at - 1][0] > far) at--;
      best.splice(at, 0, [far, m]);
      best.length = Math.min(best.length, most);
    }
    return best.map(([, m]) => m);
  }
  // One of each square of the plane in view, for the pictures that are shown: at most `most`. The squares do not move with the
  // view, so neither do the pictures.
  samples({ left, right, low, high }, side, most) {
    const { places, groups, hidden, count } = this;
    const found = new Map();
    for (let n = 0; n < count && found.size < most; n++) {
      const x = places[2 * n], y = places[2 * n + 1];
      if (x < left || x > right || y < low || y > high || groups[n] === OUT || hidden.has(groups[n])) continue;
      const key = Math.floor(x / side) * 1e6 + Math.floor(y / side);
      if (!found.has(key)) found.set(key, n);
    }
    return [...found.values()];
  }
}
