// Draws the points of a map without a graphics card: straight into the pixels of a picture. On the same cores that is many times
// as fast as a browser's own imitation of a graphics card, whose cost is in what it does for each point.
const INNER = 0.55; // of a selected point's width: the colour within its edge; as in map_paint.js
const GROWS = 4; // pixels by which a selected point is larger; as there

export class Raster {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  }
  set(points, tints, marks) {
    Object.assign(this, { points, tints, marks });
    this.sort();
  }
  tint(tints) {
    this.tints = tints;
    this.sort();
  }
  mark(marks) {
    this.marks = marks;
    this.sort();
  }
  // The points in the order in which they are drawn, behind one another: pale ones, coloured ones, selected ones.
  sort() {
    const { points, tints, marks } = this;
    if (!points) return; // something is selected before there is a map
    const rank = (n) => (marks[n] ? 256 : 0) + 255 - tints[n];
    const counts = new Uint32Array(513);
    for (let n = 0; n < points.count; n++) counts[rank(n) + 1]++;
    for (let at = 1; at < counts.length; at++) counts[at] += counts[at - 1];
    this.runs = [...counts.keys()].slice(0, 512).flatMap((at) => (counts[at + 1] > counts[at] ? [{ from: counts[at], to: counts[at + 1], tint: 255 - (at % 256), isMarked: at > 255 }] : []));
    this.x = new Float32Array(points.count);
    this.y = new Float32Array(points.count);
    for (let n = 0; n < points.count; n++) {
      const place = counts[rank(n)]++;
      this.x[place] = points.x(n);
      this.y[place] = points.y(n);
    }
  }
  // `took`: the milliseconds of the last time.
  draw(view, { colours, page, edge }, size, every = 1) {
    const began = performance.now();
    const { width, height } = this.canvas;
    if (this.image?.width !== width || this.image.height !== height) {
      this.image = this.pen.createImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    this.pixels.fill(packed(page));
    for (const run of this.runs ?? []) {
      if (!run.isMarked) this.stamp(view, run, every, disc(size), packed(colours[run.tint]));
      else for (const [wide, colour] of [[size + GROWS, edge], [INNER * (size + GROWS), colours[run.tint]]]) this.stamp(view, run, every, disc(wide), packed(colour));
    }
    this.pen.putImageData(this.image, 0, 0);
    this.took = performance.now() - began;
  }
  // The same disc at each point of a run.
  stamp({ x, y, unit }, { from, to }, every, { side, starts, ends }, colour) {
    const { pixels, x: xs, y: ys } = this;
    const { width, height } = this.canvas;
    const left = width / 2 - x * unit - side / 2 + 0.5, top = height / 2 + y * unit - side / 2 + 0.5;
    for (let n = from; n < to; n += every) {
      const px = Math.floor(left + xs[n] * unit), py = Math.floor(top - ys[n] * unit);
      if (px <= -side || py <= -side || px >= width || py >= height) continue;
      const isWhole = px >= 0 && px + side <= width;
      for (let row = Math.max(0, -py), last = Math.min(side, height - py); row < last; row++) {
        const line = (py + row) * width;
        const end = line + (isWhole ? px + ends[row] : Math.min(width, px + ends[row]));
        for (let at = line + (isWhole ? px + starts[row] : Math.max(0, px + starts[row])); at < end; at++) pixels[at] = colour;
      }
    }
  }
}

const packed = ([r, g, b]) => (255 << 24) | (Math.round(255 * b) << 16) | (Math.round(255 * g) << 8) | Math.round(255 * r);

// The rows of a filled circle: where each begins and ends.
function disc(size) {
  const side = Math.max(1, Math.round(size));
  const rows = Array.from({ length: side }, (_, row) => Math.sqrt(Math.max(0, side * side / 4 - (row + 0.5 - side / 2) ** 2)));
  return { side, starts: rows.map((half) => Math.round(side / 2 - half)), ends: rows.map((half) => Math.round(side / 2 + half)) };
}
