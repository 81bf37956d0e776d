// One picture at once, pasted or from a camera: the board's classifier says what it is, and the library stays as it is.
import { placeName } from "./changes.js";
import { whole } from "./lesson.js";
import { bars, getJSON, make } from "../shared/parts.js";

const PAUSE = 400; // ms from one answer to the next look of the camera
const SIDE = 640; // pixels of what the camera sends
const WORDS = "Paste a picture with Ctrl+V, or choose one. It is not added to the library.";
const canSee = () => Boolean(navigator.mediaDevices?.getUserMedia);

export class Trial {
  constructor(board) {
    this.board = board;
    const button = (text, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, text);
    this.file = make("input", { type: "file", accept: "image/*", hidden: "", "aria-label": "Picture to try", onchange: () => this.file.files[0] && this.take(this.file.files[0]) });
    this.camera = button("Use the camera", () => (this.stream ? this.still() : this.look()));
    this.picture = make("img", { alt: "The picture that is tried", hidden: "" });
    this.video = make("video", { muted: "", playsinline: "", hidden: "", "aria-label": "Camera" });
    this.said = make("p", { class: "answer", role: "status" });
    this.shares = make("div");
    const bar = make("div", { class: "bar" }, make("h2", { class: "place" }, "Try one picture"), button("Choose a picture", () => this.file.click()), this.camera, button("Close", () => this.dialog.close()));
    this.dialog = make("dialog", { class: "viewer sheet trial", "aria-label": "Try one picture" }, bar, this.file, make("div", { class: "side" }, this.picture, this.video, this.said, this.shares, make("p", { class: "note" }, WORDS)));
    this.dialog.onclick = (event) => {
      if (event.target === this.dialog) this.dialog.close();
    };
    this.dialog.onclose = () => this.dark();
  }
  show() {
    this.camera.hidden = !canSee();
    if (this.dialog.open) return;
    this.said.textContent = "";
    this.shares.replaceChildren();
    this.picture.hidden = true;
    this.dialog.showModal();
  }
  take(file) {
    this.show();
    this.dark();
    this.picture.src = URL.createObjectURL(file);
    this.picture.hidden = false;
    this.said.textContent = "Looking …";
    return this.ask(file);
  }
  async ask(blob) {
    try {
      const { picture } = await getJSON("/api/pictures", { method: "POST", body: blob, headers: { "Content-Type": blob.type || "image/*" } });
      this.draw(await this.board.steps.post("try", { picture }));
    } catch (error) {
      this.shares.replaceChildren();
      this.said.textContent = error.message;
    }
  }
  draw({ labels, place, figure, why, top }) {
    const name = labels.join(", ") || placeName(this.board.labels, place);
    this.said.replaceChildren(make("b", {}, name), ` · likely right: ${whole(figure)}${why ? `. ${why[0].toUpperCase()}${why.slice(1)}.` : ""}`);
    this.shares.replaceChildren(bars(top, "What the classifier says of it"));
  }

  // the camera

  async look() {
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: true });
    } catch {
      this.said.textContent = "The camera cannot be used; allow it in the browser, or choose a picture.";
      return;
    }
    if (!this.dialog.open) return this.dark(); // closed while the browser asked
    this.picture.hidden = true;
    this.video.hidden = false;
    this.video.srcObject = this.stream;
    this.camera.textContent = "Stop the camera";
    await this.video.play();
    while (this.stream) {
      const frame = await this.frame();
      if (frame && this.stream) await this.ask(frame);
      await new Promise((done) => setTimeout(done, PAUSE));
    }
  }
  async frame() {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width) return null;
    const scale = Math.min(1, SIDE / Math.max(width, height));
    const canvas = make("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
    canvas.getContext("2d").drawImage(this.video, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));
  }
  // The camera stops, and its last picture stays.
  async still() {
    const frame = await this.frame();
    this.dark();
    if (!frame) return;
    this.picture.src = URL.createObjectURL(frame);
    this.picture.hidden = false;
  }
  dark() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = this.video.srcObject = null;
    this.video.hidden = true;
    this.camera.textContent = "Use the camera";
  }
}
