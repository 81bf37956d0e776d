// The timeline of a video whose frames are on the board: what it shows when, a band for each stretch with one answer. A click
// goes to its first frame.
import { colour, placeName } from "./changes.js";
import { make } from "../shared/parts.js";

const FRAME = /^(.+) at (\d+)m(\d\d)s\.jpg$/; // as ui/videos.py names them
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

export class Film {
  constructor(board) {
    Object.assign(this, { board, videos: [] });
    this.root = make("div", { class: "films" });
  }
  // The videos of a board that was loaded, each with its frames in order: [[name, [{id, time}]]].
  load() {
    const found = new Map();
    for (const { id, name } of this.board.cards.values()) {
      const [, video, minutes, seconds] = FRAME.exec(name.split(/[\\/]/).pop()) ?? [];
      if (video) found.set(video, [...(found.get(video) ?? []), { id, time: 60 * Number(minutes) + Number(seconds) }]);
    }
    this.videos = [...found].map(([video, frames]) => [video, frames.sort((a, b) => a.time - b.time)]);
  }
  draw() {
    const { board } = this;
    const films = this.videos.map(([video, frames]) => [video, frames, frames.map(({ id }) => board.places(id)[0])]);
    const key = JSON.stringify(films);
    if (key === this.drawn) return;
    this.drawn = key;
    this.root.replaceChildren(...films.map(([video, frames, places]) => {
      const begins = frames.map((_, n) => n).filter((n) => !n || places[n] !== places[n - 1]);
      const bands = begins.map((from, i) => {
        const until = begins[i + 1] ?? frames.length;
        const end = frames[until]?.time ?? frames.at(-1).time + 1;
        const words = `${clock(frames[from].time)} to ${clock(end)}: ${placeName(board.labels, places[from])}`;
        const band = make("button", { type: "button", title: words, "aria-label": words, onclick: () => board.select([frames[from].id], "") }, placeName(board.labels, places[from]));
        band.style.cssText = `flex-grow:${end - frames[from].time};--c:var(--${colour(places[from])})`;
        return band;
      });
      return make("section", { class: "film", "aria-label": `Timeline of ${video}` }, make("span", { class: "name" }, video), make("div", { class: "bands" }, ...bands));
    }));
  }
}
