// The explorer's whole page: its line to the kernel, its panels, sliders and buttons. All state
// lives in the kernel; here it is shown, and touched.

import { drawPlane, drawTruth, make, makePad, numeral, paint, SIZE } from "./pads.js";

const MOVES = ["latent", "image", "slider"]; // of these only the newest counts
const PATIENCE = 5; // seconds of silence until the kernel is said to be busy or gone
const PERIOD = 5000; // milliseconds in which a played latent goes to and fro
const PIXEL_STEP = 1; // what an arrow key moves the circle, in pixels …
const PLANE_STEP = 0.1; // … and a code, in standard deviations of the prior
const SLIDER_STEP = 0.01;
const KEEP_FILE = 10_000; // milliseconds that a file is kept for the browser to save it

const STARTING = "Waiting for the kernel. Run this cell if nothing appears.";
const AGAIN = "Run this cell again; on a page without cells, load the page again.";
const CUT = `The line to the kernel is cut. ${AGAIN}`;
const BUSY = `No answer for ${PATIENCE} seconds: the kernel is busy, or gone.`;
const SILENT = `${BUSY} If it stays so: ${AGAIN}`;
const HELP =
  "Drag the circle, and each encoder says where it puts it; or drag in a latent plane, and the " +
  "pictures follow. Arrow keys work, too; Shift makes fine steps.";

// What the parts of a page share.
//   spec: what the kernel told at first: models, their latents, sizes, the true grid
//   view: its last answer, null before the first
//   touched: the latent moved last
function render({ model, el }) {
  const spec = model.get("spec");
  const [first] = spec.sides;
  const page = {
    spec,
    id: Math.random().toString(36).slice(2), // one widget may be on the page twice
    root: make("div", { class: "sbd-explorer", role: "group", "aria-label": "Latent explorer" }),
    view: null,
    touched: { model: first.name, latent: first.latents[0][0] },
  };
  page.root.style.setProperty("--pad", `${SIZE}px`);
  page.status = makeStatus();
  page.player = makePlayer(page);
  page.line = new KernelLine(model, page);
  const toolbar = makeToolbar(page);
  const truth = makeTruthPanel(page, toolbar);
  const sides = spec.sides.map((side, index) => makeSidePanel(page, side, index));
  const panels = [truth, ...sides];
  page.root.append(make("div", { class: "panels" }, ...panels.map((panel) => panel.node)));
  el.append(page.root);

  const show = (view, pictures) => {
    page.view = view;
    toolbar.show(view);
    panels.forEach((panel, i) => {
      panel.show(view, pictures[i]);
    });
    page.status.say(`${view.sides.map((side) => side.text).join(". ")}.`);
  };
  const stop = listenToKernel(model, page, show);
  page.line.send({ type: "hello" });
  return stop;
}

// What the kernel sends reaches every view of a widget: a state concerns all, the rest the one that
// asked for it.
function listenToKernel(model, page, show) {
  const receive = (content, buffers) => {
    const arrived = performance.now();
    const own = content.page === page.id;
    if (content.type === "view") show(content, buffers);
    else if (!own) return;
    else if (content.type === "code") page.status.offer(content.text);
    else if (content.type === "file") save(page.status, content, buffers[0]);
    else page.status.warn(content.text);
    if (!own) return;
    page.line.hear(content.number);
    // For those who measure.
    const detail = { ...content, arrived };
    page.root.dispatchEvent(new CustomEvent("answered", { detail }));
  };
  const cut = () => page.line.cut();
  const listeners = {
    "msg:custom": receive,
    "comm:close": cut,
    comm_live_update: cut, // JupyterLab says so when a kernel is started anew
  };
  for (const [name, listener] of Object.entries(listeners)) model.on(name, listener);
  return () => {
    for (const [name, listener] of Object.entries(listeners)) model.off(name, listener);
    page.player.stop();
    page.line.close();
  };
}

// A line to the kernel on which one message is under way at a time. While it is, only the newest
// position is kept; what is not a position (a button, an axis) is never dropped. Messages are
// numbered, and answers come in their order.
class KernelLine {
  constructor(model, page) {
    this.model = model;
    this.page = page;
    this.waiting = [];
    this.sent = 0; // number of the last message …
    this.answered = 0; // … and of the last one answered
    this.silent = false; // whether the kernel has not answered in time
  }

  send(event) {
    if (replaces(event, this.waiting.at(-1))) this.waiting.pop();
    this.waiting.push({ ...event, stamp: event.stamp ?? performance.now() });
    this.next();
  }

  next() {
    if (this.isFree() && this.waiting.length) this.transmit(this.waiting.shift());
    this.page.root.dataset.waiting = this.waiting.length + this.sent - this.answered;
  }

  transmit(event) {
    this.sent += 1;
    this.silent = false;
    this.timer = setTimeout(() => this.giveUp(), 1000 * PATIENCE);
    try {
      this.model.send({ ...event, page: this.page.id, number: this.sent });
    } catch {
      this.cut();
    }
  }

  hear(number) {
    this.answered = number;
    if (this.answered === this.sent) clearTimeout(this.timer);
    this.next();
  }

  // The message may be lost: the next touch is sent all the same.
  giveUp() {
    this.silent = true;
    this.page.status.warn(SILENT);
  }

  // No message comes through any more.
  cut() {
    this.close();
    this.answered = this.sent;
    this.waiting = [];
    this.next();
    this.page.player.stop();
    this.page.status.warn(CUT);
  }

  isFree() {
    return this.silent || this.answered === this.sent;
  }

  isIdle() {
    return this.isFree() && !this.waiting.length;
  }

  close() {
    clearTimeout(this.timer);
  }
}

// Whether an event makes an older one needless: the same thing, moved on.
function replaces(event, older) {
  if (!older || !MOVES.includes(event.type)) return false;
  return ["type", "model", "latent"].every((field) => event[field] === older[field]);
}

// The line of text under the buttons, and below it the codes that were asked for.
function makeStatus() {
  const line = make("div", { class: "status", role: "status", "aria-live": "polite" }, STARTING);
  const code = make("pre", { hidden: "", "aria-label": "The codes as Python" });
  const tell = (text, error) => {
    line.classList.toggle("error", error);
    line.textContent = text;
  };
  const say = (text) => tell(text, false);
  const warn = (text) => tell(text, true);
  async function offer(text) {
    code.hidden = false;
    code.textContent = text;
    const copying = navigator.clipboard?.writeText(text);
    const copied = await copying?.then(
      () => true,
      () => false,
    );
    say(copied ? "Copied." : "Select the lines below to copy them.");
  }
  return { nodes: [line, code], say, warn, offer };
}

// Hand a file to the browser to save.
function save(status, { name, mime }, bytes) {
  const url = URL.createObjectURL(new Blob([bytes], { type: mime }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEEP_FILE);
  status.say(`Saved ${name}.`);
}

// One latent at a time goes to and fro as a sine of time; the next value is sent once the last has
// been answered. A track has `mark(on)` and `set(value)`.
function makePlayer(page) {
  let playing = null;
  const stop = () => {
    playing?.track.mark(false);
    playing = null;
  };
  const start = (track) => {
    const mine = { track };
    const begin = performance.now();
    playing = mine;
    track.mark(true);
    const tick = (now) => {
      if (playing !== mine || !page.root.isConnected) return;
      const turn = (2 * Math.PI * (now - begin)) / PERIOD;
      if (page.line.isIdle()) track.set(page.spec.traversal_span * Math.sin(turn));
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  };
  const toggle = (track) => {
    const again = playing?.track === track;
    stop();
    if (!again) start(track);
  };
  return { toggle, stop };
}

// The buttons, and whether one hand moves all planes.
function makeToolbar(page) {
  const button = (text, title, event) => {
    const press = () => page.line.send(event());
    return make("button", { type: "button", title, onclick: press }, text);
  };
  const start = "The circle in the middle, the planes as at first";
  const film = "Download a traversal of the latent moved last";
  const node = make(
    "div",
    { class: "bar" },
    button("Reset", start, () => ({ type: "reset" })),
    button("Sample prior", "A code from N(0, 1) for each model", () => ({ type: "prior" })),
    button("Sample posterior", "A code from q(z|circle) for each model", () => ({
      type: "posterior",
    })),
    button("Clear trail", "Forget the path", () => ({ type: "clear" })),
    button("Copy z", "The codes as Python", () => ({ type: "code" })),
    button("PNG", "Download the pictures", () => ({ type: "png" })),
    button("GIF", film, () => ({ type: "gif", ...page.touched })),
  );
  const setLink = (event) => page.line.send({ type: "link", value: event.target.checked });
  const link = make("input", { type: "checkbox", onchange: setLink });
  if (page.spec.sides.length > 1) {
    node.append(make("label", {}, link, "one hand moves all planes"));
  }
  const show = (view) => {
    link.checked = view.linked;
  };
  return { node, show };
}

// The true circle, to be dragged; below it help, buttons and status.
function makeTruthPanel(page, toolbar) {
  const { im_size: size, grid } = page.spec;
  // Not on the page: it is drawn into the pad.
  const picture = make("canvas", { width: size, height: size });
  const pad = makePad({
    name: "Image plane, with the true circle",
    x: [0, size],
    y: [size, 0],
    step: PIXEL_STEP,
    where: () => page.view?.circle,
    move: (x, y, stamp) => page.line.send({ type: "image", x, y, stamp }),
  });
  const figure = makeFigure([make("b", {}, "the true circle"), soft("x →  y ↓")], pad.canvas);
  const help = make("p", { class: "soft" }, HELP);
  const parts = [figure, help, toolbar.node, ...page.status.nodes];
  const node = make("div", { class: "side" }, ...parts);
  const show = (view, bytes) => {
    paint(picture, bytes, 1);
    drawTruth(pad, view, grid, picture);
  };
  return { node, show };
}

// One model: its latent plane, its picture and its sliders.
function makeSidePanel(page, side, index) {
  const plane = makeLatentPlane(page, side, index);
  const picture = makePicture(page, side, index);
  const sliders = makeSliders(page, side, index);
  const parts = [plane, picture, sliders];
  return {
    node: make("div", { class: "side" }, ...parts.map((part) => part.node)),
    show(view, bytes) {
      for (const part of parts) part.show(view, bytes);
    },
  };
}

function makeLatentPlane(page, side, index) {
  const { span } = page.spec;
  const where = () => {
    const shown = page.view?.sides[index];
    return shown?.axes.map((latent) => shown.z[latent]);
  };
  const pad = makePad({
    name: `${side.name}, latent plane`,
    x: [-span, span],
    y: [-span, span],
    step: PLANE_STEP,
    where,
    move: (x, y, stamp) => page.line.send({ type: "latent", model: side.name, x, y, stamp }),
  });
  const axes = [makeAxisChoice(page, side, index, 0), makeAxisChoice(page, side, index, 1)];
  const choice = make("span", { class: "soft" }, "→ ", axes[0], " ↑ ", axes[1]);
  let grid = [];
  return {
    node: makeFigure([make("b", {}, side.name), choice], pad.canvas),
    show(view) {
      const shown = view.sides[index];
      grid = shown.grid ?? grid; // sent when the axes change
      drawPlane(pad, shown, grid, span, view.encoded);
      axes.forEach((select, axis) => {
        select.value = shown.axes[axis];
      });
    },
  };
}

// Which latent is shown on an axis: 0 to the right, 1 upwards.
function makeAxisChoice(page, side, index, axis) {
  const choose = (event) => {
    const chosen = [...(page.view?.sides[index].axes ?? side.latents.map(([latent]) => latent))];
    const latent = Number(event.target.value);
    if (chosen[1 - axis] === latent) chosen[1 - axis] = chosen[axis]; // they change places
    chosen[axis] = latent;
    page.line.send({ type: "axes", model: side.name, x: chosen[0], y: chosen[1] });
  };
  const options = side.latents.map(([latent, , informative]) =>
    make("option", { value: latent }, `${informative ? "● " : ""}z${latent}`),
  );
  const label = `${side.name}, latent ${axis ? "upwards" : "to the right"}`;
  return make("select", { "aria-label": label, onchange: choose }, ...options);
}

function makePicture(page, side, index) {
  const { im_size: size } = page.spec;
  const attributes = { class: "picture", role: "img", "aria-label": `${side.name}` };
  const canvas = make("canvas", { ...attributes, width: size, height: size });
  return {
    node: makeFigure([soft(`what ${side.name} decodes`)], canvas),
    show(view, bytes) {
      paint(canvas, bytes, side.channels);
      canvas.setAttribute("aria-label", `Picture decoded by ${view.sides[index].text}`);
    },
  };
}

function makeSliders(page, side, index) {
  const sliders = side.latents.map((latent) => makeSlider(page, side, index, latent));
  const summary = make("summary", {}, `All latents of ${side.name}, by posterior variance`);
  const rows = make("div", { class: "sliders" }, ...sliders.flatMap((slider) => slider.nodes));
  return {
    node: make("details", { open: "" }, summary, rows),
    show(view) {
      for (const slider of sliders) slider.show(view);
    },
  };
}

// A latent's label, slider, value and play button.
function makeSlider(page, side, index, [latent, variance, informative]) {
  const { span } = page.spec;
  const mark = informative ? "informative" : "";
  const name = `${side.name}, latent ${latent}`;
  const full = `${name}, posterior variance ${variance.toPrecision(2)}${mark && `, ${mark}`}`;
  const set = (value, stamp) => {
    page.touched = { model: side.name, latent };
    page.line.send({ type: "slider", ...page.touched, value, stamp });
  };
  const input = make("input", {
    type: "range",
    min: -span,
    max: span,
    step: SLIDER_STEP,
    class: mark,
    title: full,
    "aria-label": full,
    oninput: (event) => set(Number(event.target.value), event.timeStamp),
  });
  const label = make("span", { class: mark }, `${informative ? "●" : "○"} z${latent} `);
  label.append(soft(variance.toPrecision(1)));
  const value = make("span", { class: "value", "aria-hidden": true }); // the slider tells its value
  const play = makePlayButton(page, name, set);
  const show = (view) => {
    const z = view.sides[index].z[latent];
    const held = document.activeElement === input;
    const same = Math.abs(Number(input.value) - z) < SLIDER_STEP;
    if (!held || !same) input.value = z;
    value.textContent = numeral(z, 2);
  };
  return { nodes: [label, input, value, play], show };
}

function makePlayButton(page, name, set) {
  const attributes = { type: "button", class: "play", "aria-label": `Play ${name}` };
  const button = make("button", { ...attributes, "aria-pressed": false }, "▶");
  const mark = (on) => {
    button.textContent = on ? "■" : "▶";
    button.setAttribute("aria-pressed", on);
  };
  const track = { mark, set };
  button.addEventListener("click", () => page.player.toggle(track));
  return button;
}

function makeFigure(caption, canvas) {
  return make("figure", {}, make("figcaption", {}, ...caption), canvas);
}

function soft(text) {
  return make("span", { class: "soft" }, text);
}

export default { render };
