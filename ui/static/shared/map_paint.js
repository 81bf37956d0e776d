// Draws the points of a map: by WebGL, a million in a frame, or, where there is no graphics card, by map_raster.js.
// A point is a place, a tint (a number in the list of colours) and a mark (1 for selected).
import { Raster } from "./map_raster.js";

const VERTEX = `
attribute vec2 place; attribute float tint; attribute float mark;
uniform vec2 scale, move; uniform float size; uniform vec4 colours[16];
varying vec4 colour; varying float ring;
void main() {
  // the front is what is selected, then what has a colour, then what is pale
  gl_Position = vec4(place * scale + move, mark > 0. ? -.5 : (tint + 1.) / 32., 1.);
  gl_PointSize = size + mark * 4.;
  colour = colours[int(tint)];
  ring = mark;
}`;
const FRAGMENT = `
precision mediump float;
uniform vec4 edge;
varying vec4 colour; varying float ring;
void main() {
  float far = 2. * length(gl_PointCoord - .5);
  if (far > 1.) discard;
  gl_FragColor = ring > 0. && far > .55 ? edge : colour;
}`;

export function painter(canvas) {
  return hasCard() ? new WebGL(canvas) : new Raster(canvas);
}
const context = (canvas) => canvas.getContext("webgl", { alpha: false, antialias: false, depth: true, powerPreference: "low-power" });

// Whether a graphics card draws, and no imitation of one; asked of a canvas of its own, since a canvas keeps its first context.
const hasCard = () => {
  const gl = context(document.createElement("canvas"));
  const named = gl?.getExtension("WEBGL_debug_renderer_info");
  return Boolean(gl) && !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(gl.getParameter(named ? named.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
};

export class WebGL {
  constructor(canvas) {
    Object.assign(this, { canvas, gl: context(canvas) });
    this.begin();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.begin();
      if (this.points) this.set(this.points, this.tints, this.marks);
      this.onback?.();
    });
  }
  begin() {
    const { gl } = this;
    const program = (this.program = gl.createProgram());
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.enable(gl.DEPTH_TEST);
    gl.depthFunc(gl.LEQUAL);
    this.at = (name) => gl.getUniformLocation(program, name);
    this.buffers = {};
  }
  // What is to be drawn, from now on.
  set(points, tints, marks) {
    this.points = points;
    this.put("place", points.places);
    this.tint(tints);
    this.mark(marks);
  }
  tint(tints) {
    this.put("tint", (this.tints = tints));
  }
  mark(marks) {
    this.put("mark", (this.marks = marks));
  }
  put(name, values) {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, (this.buffers[name] ??= gl.createBuffer()));
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
  }
  // Read a buffer, one point of `every` so many.
  read(name, size, type, bytes, every) {
    const { gl } = this;
    const place = gl.getAttribLocation(this.program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, type, false, every * bytes, 0);
  }
  // view: {x, y, unit}: the middle of the canvas, and the pixels of the canvas that one unit of the plane takes. With `every`
  // only one of so many points is drawn.
  draw({ x, y, unit }, { colours, page, edge }, size, every = 1) {
    const { gl, canvas } = this;
    const scale = [(2 * unit) / canvas.width, (2 * unit) / canvas.height];
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(...page);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.uniform2f(this.at("scale"), ...scale);
    gl.uniform2f(this.at("move"), -x * scale[0], -y * scale[1]);
    gl.uniform1f(this.at("size"), size);
    gl.uniform4fv(this.at("colours"), colours.flat());
    gl.uniform4f(this.at("edge"), ...edge);
    const count = Math.ceil((this.points?.count ?? 0) / every);
    if (!count) return;
    this.read("place", 2, gl.FLOAT, 8, every);
    this.read("tint", 1, gl.UNSIGNED_BYTE, 1, every);
    this.read("mark", 1, gl.UNSIGNED_BYTE, 1, every);
    gl.drawArrays(gl.POINTS, 0, count);
  }
}
