// Pads: planes that are drawn, and touched by pointer or arrow keys. They know nothing of a kernel.

export const SIZE = 256; // width of a pad in its own units; on the page it is as wide as its column

// Lines of the grid, to be seen on light paper, on dark paper and on the black image.
const BLUES = ["#1f5fd0", "#2f74dc", "#3f89e6", "#4f9eee", "#60b2f5"]; // vertical in the image
const ORANGES = ["#b34700", "#c4550a", "#d66718", "#e67b28", "#f2913e"]; // horizontal there
const HAND = "#d55e00";
const HAND_PALE = "#d55e0033";
const TRAIL = "#009e73";
const INK = "#222";
const THEME = ["paper", "rings", "axes", "ticks"]; // colors that the style sheet has, as --paper
const FIELD_ALPHA = 0.3; // of the pictures behind a plane
const HANDLE = 6; // radius of what a hand takes hold of
const POINTED = 9; // radius of the ring around what is pointed at …
const REACH = 14; // … and how near a pointer must come
const TICKS = [-2, 2]; // values written at a plane's axes
const PRIOR_RADII = [1, 2]; // standard deviations of the prior that are drawn as circles
const FINE = 10; // an arrow key with Shift moves by a step over this
const LEFT_BUTTON = 1; // in PointerEvent.buttons; a finger and a pen have it, too
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
// JupyterLab would take the arrow and enter keys of these for its own shortcuts.
const CONTROLS = ["button", "canvas", "input", "select", "summary"];

// A node of the page. Attributes that begin with "on" are listeners.
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  if (CONTROLS.includes(tag)) node.dataset.lmSuppressShortcuts = "true";
  node.append(...children);
  return node;
}

// A caption above a canvas and, if there is one, a note below it.
export function makeFigure(caption, canvas, ...note) {
  const above = make("figcaption", {}, ...caption);
  const below = make("div", { class: "note" }, ...note);
  return make("figure", {}, above, canvas, below);
}

export function soft(text) {
  return make("span", { class: "soft" }, text);
}

// A number as text, with a true minus sign.
export function numeral(number, digits = 0) {
  const text = number.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

// What the page behind the explorer is like: whether it is dark, and the colors of the planes.
export function readTheme(root) {
  root.classList.toggle("dark", isDark(root));
  const style = getComputedStyle(root);
  const theme = { isDark: root.classList.contains("dark") };
  for (const name of THEME) theme[name] = style.getPropertyValue(`--${name}`).trim();
  return theme;
}

// By the background of what is behind it, the nearest that has one.
function isDark(root) {
  for (let node = root.parentElement; node; node = node.parentElement) {
    const [red, green, blue, opacity = 1] = readColor(getComputedStyle(node).backgroundColor);
    if (opacity > 0.5) return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
  }
  return false;
}

function readColor(text) {
  return text.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
}

// Hear of another theme, of JupyterLab or of the system; gives what ends that.
export function watchTheme(changed) {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributes: true });
  const queries = ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"];
  const media = [...queries, "(forced-colors: active)"].map((query) => matchMedia(query));
  for (const each of media) each.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    for (const each of media) each.removeEventListener("change", changed);
  };
}

// A canvas over a plane. It reports where it is pressed, in the plane's own units, and where the
// arrow keys move to.
//   x, y: the values at the left and right, bottom and top edge
//   limits: the least and the greatest value that an arrow key moves to, of x and of y
//   steps: what an arrow key moves, right and up
//   where(): the point that is moved, or null while there is none
//   hand: told when the pad is held and released, and of every move(pad, x, y, stamp)
//   point(x, y): called with what is pointed at, with nothing when it is left
export function makePad({ name, x, y, limits, steps, where, hand, point }) {
  const ratio = Math.max(2, window.devicePixelRatio || 1);
  const canvas = make("canvas", {
    class: "pad",
    tabindex: 0,
    role: "application",
    width: SIZE * ratio,
    height: SIZE * ratio,
    "aria-roledescription": "two-dimensional slider",
    "aria-label": `${name}. Drag, or move with the arrow keys; hold Shift for fine steps.`,
  });
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio); // from here on in CSS pixels
  const pad = { canvas, context, ratio, kept: null, ...makeScale(x, y) };
  listenToPointer(pad, hand, point);
  listenToArrows(pad, { limits, steps, where }, hand);
  listenToEnd(canvas, () => hand.release(pad));
  return pad;
}

// The hand lets go of a control.
export function listenToEnd(node, release) {
  const ends = ["pointerup", "pointercancel", "lostpointercapture", "keyup", "blur"];
  for (const name of ends) node.addEventListener(name, release);
}

// Between a plane's units and the pixels of its pad.
function makeScale([left, right], [bottom, top]) {
  const share = (value, low, high) => (value - low) / (high - low);
  const inside = (value) => Math.min(Math.max(value, 0), 1);
  return {
    unit: SIZE / (right - left), // pixels
    upwards: Math.sign(top - bottom), // of y in the plane
    toPixels: ([x, y]) => [share(x, left, right) * SIZE, share(y, top, bottom) * SIZE],
    fromShares: (u, v) => [left + inside(u) * (right - left), top + inside(v) * (bottom - top)],
  };
}

function listenToPointer(pad, hand, point) {
  let before = [0, 0]; // where the pointer was, in shares of the pad …
  let lag = [0, 0]; // … and how far it is ahead of what is moved, after fine steps
  const place = (event) => {
    const box = pad.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const follow = (event) => {
    const now = place(event);
    const slowness = event.shiftKey ? 1 - 1 / FINE : 0;
    lag = lag.map((each, i) => each + slowness * (now[i] - before[i]));
    before = now;
    const [x, y] = pad.fromShares(now[0] - lag[0], now[1] - lag[1]);
    hand.move(pad, x, y, event.timeStamp);
  };
  pad.canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return; // a second finger, another button
    pad.canvas.setPointerCapture(event.pointerId);
    point();
    hand.hold(pad);
    before = place(event);
    lag = [0, 0];
    follow(event);
  });
  const drags = ({ isPrimary, buttons }) => isPrimary && buttons & LEFT_BUTTON;
  let isHeard = false; // whether this frame has had a move
  pad.canvas.addEventListener("pointermove", (event) => {
    if (!drags(event)) {
      if (!event.buttons) point(...pad.fromShares(...place(event)));
    } else if (`${place(event)}` !== `${before}`) follow(event);
  });
  // The same moves, not held back until the next frame, where the browser tells them: one a frame.
  pad.canvas.addEventListener("pointerrawupdate", (event) => {
    if (isHeard || !drags(event)) return;
    isHeard = true;
    requestAnimationFrame(() => {
      isHeard = false;
    });
    follow(event);
  });
  pad.canvas.addEventListener("pointerleave", () => point());
}

function listenToArrows(pad, { limits, steps, where }, hand) {
  const clamp = (value, [low, high]) => Math.min(Math.max(value, low), high);
  pad.canvas.addEventListener("keydown", (event) => {
    const direction = ARROWS[event.key];
    if (!direction) return;
    event.preventDefault(); // the page would scroll
    const point = where();
    if (!point) return;
    const [right, up] = steps.map((step) => (event.shiftKey ? step / FINE : step));
    const x = clamp(point[0] + direction[0] * right, limits[0]);
    const y = clamp(point[1] + direction[1] * up * pad.upwards, limits[1]);
    hand.hold(pad);
    hand.move(pad, x, y, event.timeStamp);
  });
}

// The points of a grid that are near to a place, as [line, point, pixels], the nearest first.
export function findNear({ toPixels }, grid, place) {
  const [x, y] = toPixels(place);
  const near = [];
  grid.forEach((line, i) => {
    line.forEach((point, j) => {
      const [u, v] = toPixels(point);
      const distance = Math.hypot(u - x, v - y);
      if (distance < REACH) near.push([i, j, distance]);
    });
  });
  return near.sort((a, b) => a[2] - b[2]);
}

// A latent plane: the field of pictures, axes, the prior, the encoded grid, the trail, and the code
// in hand.
//   shown: axes, z, mean, std and trail of a model
//   grid: [lines, points, 2] in the plane's units
//   field: the pictures behind the plane, so many rows of them: { canvas, rows }
//   channels: of the pictures; grey ones become ink on light paper
//   theme: colors; see readTheme
//   encoded: whether the code is the circle's; then its posterior is drawn
//   pointed: the point of the grid that is pointed at, as [line, point], or null
export function drawPlane(pad, plane) {
  const { shown, grid, span, encoded, pointed } = plane;
  const point = shown.axes.map((latent) => shown.z[latent]);
  const { field, channels, theme } = plane;
  drawKept(pad, [grid, span, field.canvas, field.rows, channels, theme], (still) => {
    drawPaper(still, plane);
    drawGrid(still, grid, 0.85);
  });
  if (shown.trail.length > 1) drawLine(pad, shown.trail, TRAIL, 3);
  drawCross(pad, point, span, HAND, 1);
  if (encoded) drawPosterior(pad, shown);
  drawPointed(pad, grid, pointed);
  drawHandle(pad, point);
}

// The image plane: the circle's picture, the grid, the path, and the circle's centre.
//   goal: the circle that is to be reached, { place, radius }, or null
export function drawTruth(pad, { view, grid, picture, goal, pointed }) {
  const { context } = pad;
  context.globalAlpha = view.encoded ? 1 : 0.35; // dim: the code no longer comes from this circle
  context.imageSmoothingEnabled = false;
  context.fillStyle = "black";
  context.fillRect(0, 0, SIZE, SIZE);
  context.drawImage(picture, 0, 0, SIZE, SIZE);
  drawKept(pad, [grid, view.encoded], (still) => drawGrid(still, grid, view.encoded ? 0.9 : 0.4));
  if (view.path.length > 1) drawLine(pad, view.path, TRAIL, 3);
  drawPointed(pad, grid, pointed);
  if (goal) {
    const radius = goal.radius * pad.unit;
    drawDisc(pad, goal.place, [radius, radius], { stroke: "white", width: 4 });
    drawDisc(pad, goal.place, [radius, radius], { stroke: TRAIL, width: 2 });
  }
  drawHandle(pad, view.circle);
}

// What stays while a hand moves is drawn once and kept: to stroke ten lines anew for every move
// takes a browser without a graphics card longer than a network takes to decode.
//   parts: all that it depends on
//   draw(pad): draws it, on a pad that is not seen
function drawKept(pad, parts, draw) {
  if (!pad.kept || parts.some((part, i) => part !== pad.kept.parts[i])) {
    const { width, height } = pad.canvas;
    const canvas = make("canvas", { width, height });
    const context = canvas.getContext("2d");
    context.scale(pad.ratio, pad.ratio);
    draw({ ...pad, context });
    pad.kept = { parts, canvas };
  }
  pad.context.drawImage(pad.kept.canvas, 0, 0, SIZE, SIZE);
}

// What a hand takes hold of: to be seen on light and dark.
export function drawHandle(pad, point) {
  drawDisc(pad, point, [HANDLE, HANDLE], { fill: HAND, stroke: INK, width: 4 });
  drawDisc(pad, point, [HANDLE, HANDLE], { fill: HAND, stroke: "white", width: 2 });
}

function drawPointed(pad, grid, pointed) {
  const point = pointed && grid[pointed[0]]?.[pointed[1]];
  if (!point) return;
  drawDisc(pad, point, [POINTED, POINTED], { stroke: "white", width: 4 });
  drawDisc(pad, point, [POINTED, POINTED], { stroke: INK, width: 2 });
}

// Grey (one channel) or RGB bytes, a DataView, to a canvas of as many pixels.
export function paint(canvas, bytes, channels) {
  const { width, height } = canvas;
  canvas.getContext("2d").putImageData(makeImage(bytes, channels, [width, height]), 0, 0);
}

// A row of the field: small pictures one after another in the bytes, side by side on the canvas.
export function paintRow(canvas, bytes, channels, { row, size }) {
  const length = size * size * channels;
  for (let i = 0; i < canvas.width / size; i++) {
    const part = new DataView(bytes.buffer, bytes.byteOffset + i * length, length);
    const image = makeImage(part, channels, [size, size]);
    canvas.getContext("2d").putImageData(image, i * size, row * size);
  }
}

function makeImage(bytes, channels, [width, height]) {
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) {
      image.data[4 * i + c] = bytes.getUint8(channels === 1 ? i : 3 * i + c);
    }
    image.data[4 * i + 3] = 255;
  }
  return image;
}

function drawPaper(pad, { span, field, channels, theme }) {
  const { context, toPixels, unit } = pad;
  context.fillStyle = theme.paper;
  context.fillRect(0, 0, SIZE, SIZE);
  if (field.rows) drawField(context, field.canvas, channels, theme.isDark);
  for (const radius of PRIOR_RADII) {
    drawDisc(pad, [0, 0], [radius * unit, radius * unit], { stroke: theme.rings });
  }
  drawCross(pad, [0, 0], span, theme.axes, 1);
  context.fillStyle = theme.ticks;
  context.font = "10px system-ui, sans-serif";
  const [middleX, middleY] = toPixels([0, 0]);
  for (const tick of TICKS) {
    const [x, y] = toPixels([tick, tick]);
    context.fillText(numeral(tick), x - 4, middleY + 12);
    context.fillText(numeral(tick), middleX + 4, y + 4);
  }
}

// Grey pictures leave the paper as it is where they are black.
function drawField(context, field, channels, isOnDark) {
  const onLight = channels === 1 ? "difference" : "source-over";
  context.globalAlpha = FIELD_ALPHA;
  context.globalCompositeOperation = isOnDark ? "lighten" : onLight;
  context.imageSmoothingEnabled = true;
  context.drawImage(field, 0, 0, SIZE, SIZE);
  context.globalCompositeOperation = "source-over";
  context.globalAlpha = 1;
}

// Half of the grid's lines are vertical in the image, the other half, dashed, horizontal.
function drawGrid(pad, grid, alpha) {
  const half = grid.length / 2;
  pad.context.globalAlpha = alpha;
  grid.forEach((line, i) => {
    const shades = i < half ? BLUES : ORANGES;
    const share = (i % half) / Math.max(half - 1, 1);
    const color = shades[Math.round(share * (shades.length - 1))];
    drawLine(pad, line, color, 1.6, i < half ? [] : [5, 3]);
  });
  pad.context.globalAlpha = 1;
}

function drawCross(pad, [x, y], span, color, width) {
  const points = { left: [-span, y], right: [span, y], bottom: [x, -span], top: [x, span] };
  drawLine(pad, [points.left, points.right], color, width);
  drawLine(pad, [points.bottom, points.top], color, width);
}

// One standard deviation of the posterior around its mean.
function drawPosterior(pad, { mean, std, axes }) {
  const middle = axes.map((latent) => mean[latent]);
  const radii = std.map((each) => Math.max(each * pad.unit, 0.5));
  drawDisc(pad, middle, radii, { fill: HAND_PALE, stroke: HAND, width: 1.5 });
}

function drawLine({ context, toPixels }, points, color, width, dash = []) {
  context.beginPath();
  for (const point of points) context.lineTo(...toPixels(point));
  Object.assign(context, { strokeStyle: color, lineWidth: width, lineJoin: "round" });
  context.setLineDash(dash);
  context.stroke();
  context.setLineDash([]);
}

// An ellipse with its radii in pixels.
function drawDisc({ context, toPixels }, point, radii, { fill, stroke, width = 1 }) {
  context.beginPath();
  context.ellipse(...toPixels(point), ...radii, 0, 0, 2 * Math.PI);
  if (fill) {
    context.fillStyle = fill;
    context.fill();
  }
  if (stroke) {
    Object.assign(context, { strokeStyle: stroke, lineWidth: width });
    context.stroke();
  }
}
