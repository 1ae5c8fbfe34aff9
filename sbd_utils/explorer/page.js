// The explorer's whole page: its panels, sliders and buttons. All state lives in the kernel; here
// it is shown, and touched.

import { explain, makeGlossary, makeInvitations, speak } from "./lesson.js";
import { KernelLine } from "./line.js";
import {
  drawPlane,
  drawTruth,
  findNear,
  listenToEnd,
  make,
  makeFigure,
  makePad,
  numeral,
  paint,
  paintRow,
  readTheme,
  soft,
  watchTheme,
} from "./pads.js";

const PERIOD = 5; // seconds in which a played latent goes to and fro, and that a show takes
const PLANE_STEP = 0.1; // what an arrow key moves a code, in standard deviations of the prior
const SLIDER_STEP = 0.01;
const STOPS = 8; // places a period where a show halts for those who want no motion
const KEEP_FILE = 10_000; // milliseconds that a file is kept for the browser to save it

const STARTING = "Waiting for the kernel. Run this cell if nothing appears.";
const AGAIN = "Answered again: what you did is done.";
const LEGEND = [
  "Planes: the blue lines are vertical in the image, the dashed orange ones horizontal; grey " +
    "rings are 1 and 2 standard deviations of the prior; the ellipse at the handle is one of the " +
    "posterior; behind them, small pictures of what each place decodes to, the other latents as " +
    "for the circle in the middle. What is pointed at on the lines is ringed in every plane.",
  "The green trail is where the circle has been, every way between encoded. Its length is that " +
    "through all informative latents, those marked ●, with a posterior variance below 0.5; the " +
    "number beside a latent is that variance.",
  "Reset: the circle in the middle, the planes as at first. Sample prior: a code from N(0, 1) " +
    "for each model. Sample posterior: one from q(z|circle). Clear trail: the next trail begins " +
    "anew. Copy z: the codes as Python. PNG: the pictures.",
  "GIF: the latents moved last, by plane or slider, to and fro; the circle moves all, and leaves " +
    "the choice as it was.",
];

// What the parts of a page share.
//   spec: what the kernel told at first: models, their latents, sizes, the true grid
//   view: its last answer, null before the first
//   touched: the latents moved last, of one model
//   pointed: the point of the grid that is pointed at, [line, point], or null
//   goal: whether the goal is shown
//   theme: colors; see readTheme
function render({ model, el }) {
  const spec = model.get("spec");
  const [first] = spec.sides;
  const page = {
    spec,
    id: Math.random().toString(36).slice(2), // one widget may be on the page twice
    root: make("div", { class: "sbd-explorer", role: "group", "aria-label": "Latent explorer" }),
    view: null,
    touched: { model: first.name, latents: [first.latents[0][0]] },
    pointed: null,
    goal: false,
    words: 0, // that are explained
  };
  page.root.style.setProperty("--models", spec.sides.length);
  page.status = makeStatus(model.silence ? "" : STARTING);
  page.player = makePlayer(page);
  page.line = makeLine(model, page);
  page.hand = new Hand(page);
  page.field = new Field(page);
  const toolbar = makeToolbar(page);
  const truth = makeTruthPanel(page, toolbar);
  const sides = spec.sides.map((side, index) => makeSidePanel(page, side, index));
  const panels = [truth, ...sides];
  page.root.append(make("div", { class: "panels" }, ...panels.map((panel) => panel.node)));
  el.append(page.root);
  page.theme = readTheme(page.root);

  page.draw = () => {
    if (!page.view) return;
    for (const part of [toolbar, ...panels]) part.show(page.view);
  };
  // Something is to be done: what is known of it already is seen at once.
  page.act = (event) => {
    if (page.view) foresee(page, event);
    page.draw();
    page.line.send(event);
  };
  const show = (answer, pictures) => {
    page.view = copyView(answer, page.view);
    panels.forEach((panel, i) => {
      panel.paint(page.view, pictures[i]);
    });
    for (const event of page.line.unanswered()) foresee(page, event);
    if (page.hand.event) foresee(page, page.hand.event);
    page.draw();
    page.news = true;
  };
  const ends = [listenToKernel(model, page, show), listenToTheme(page)];
  page.line.send({ type: "hello" });
  return () => {
    for (const end of ends) end();
  };
}

function makeLine(model, page) {
  return new KernelLine(model, {
    name: page.id,
    onTrouble(text) {
      page.news = false;
      page.root.classList.add("stale"); // what is shown is not what was done last
      page.status.warn(text);
      if (page.line.gone) page.player.stop();
    },
    onDelay: (text) => page.status.hint(text),
    onChange(count) {
      page.root.dataset.waiting = count;
    },
  });
}

function listenToTheme(page) {
  return watchTheme(() => {
    page.theme = readTheme(page.root);
    page.draw();
  });
}

// An answer of the kernel as a view of this page's own: several pages may have got the same one.
function copyView(answer, before) {
  const sides = answer.sides.map((side, i) => ({
    ...side,
    z: [...side.z],
    grid: side.grid ?? before?.sides[i].grid ?? [], // sent when the axes change
  }));
  return { ...answer, sides, factors: [...(answer.factors ?? [])] };
}

// Do to the view what an event will do to the state, as far as a page can know it: a hand's own
// position need not wait for the kernel, and no late answer takes it, or a choice, back.
function foresee({ spec, view }, event) {
  if (Object.hasOwn(FORESEEN, event.type)) FORESEEN[event.type](spec, view, event);
}

const FORESEEN = {
  image(spec, view, event) {
    view.circle = [event.x, event.y].map((value, i) => {
      const { low, high } = spec.axes[i];
      return Math.min(Math.max(value, low), high);
    });
  },
  factor(spec, view, { name, value }) {
    view.factors[spec.factors.findIndex((factor) => factor.name === name)] = value;
  },
  slider(spec, view, { model, latent, value }) {
    findSide(spec, view, model).z[latent] = value;
    view.encoded = false;
  },
  latent(spec, view, event) {
    const one = findSide(spec, view, event.model);
    for (const { z, axes } of view.linked ? view.sides : [one]) {
      [z[axes[0]], z[axes[1]]] = [event.x, event.y];
    }
    view.encoded = false;
  },
  axes(spec, view, { model, x, y }) {
    turnTo(findSide(spec, view, model), [x, y]);
  },
  link(_, view, { value }) {
    view.linked = value;
  },
  clear(_, view) {
    for (const drawn of [view, ...view.sides]) drawn.lengths = [0, 0];
    for (const side of view.sides) side.trail = [];
    view.path = [];
  },
  reset(spec, view) {
    FORESEEN.clear(spec, view);
    Object.assign(view, { linked: true, encoded: true });
    view.circle = spec.axes.map(({ middle }) => middle);
    view.factors = spec.factors.map(({ middle }) => middle);
    view.sides.forEach((side, i) => {
      turnTo(side, spec.sides[i].pair);
      side.z = [...spec.sides[i].middle];
    });
  },
};

// Show other latents of a model; what is drawn in their plane comes with the answer.
function turnTo(side, axes) {
  if (axes.every((latent, i) => latent === side.axes[i])) return;
  Object.assign(side, { axes: [...axes], grid: [], trail: [] });
}

function findSide(spec, view, name) {
  return view.sides[spec.sides.findIndex((side) => side.name === name)];
}

// When nothing moves any more: one sentence for all that was done, and time for the fields.
function rest(page) {
  if (page.line.unanswered().length || page.hand.control || page.player.isPlaying()) return;
  if (page.news) page.status.say(describe(page));
  page.news = false;
  page.field.ask();
}

function describe({ spec, view, goal }) {
  const texts = view.sides.map((side) => side.text);
  if (goal) {
    view.sides.forEach((side, i) => {
      const reached = isReached(spec, view, side) ? ": reached" : "";
      texts.push(`Goal by ${spec.sides[i].name}: ${percent(side.overlap)}${reached}`);
    });
  }
  return `${texts.join(". ")}.`;
}

function isReached(spec, view, side) {
  return !view.encoded && side.overlap >= spec.goal_reached;
}

function percent(share) {
  return `${Math.round(100 * share)} %`;
}

// What is held, and where the hand has it.
class Hand {
  constructor(page) {
    this.page = page;
    this.control = null;
    this.event = null; // the last one of the control that is held
  }

  hold(control) {
    if (this.control !== control) this.event = null;
    this.control = control;
    this.page.player.stopShow();
  }

  release(control) {
    if (this.control !== control) return;
    this.control = null;
    this.event = null;
    rest(this.page);
  }

  // A pad is moved.
  move(pad, x, y, stamp) {
    pad.trace([x, y]);
    this.send(pad, { ...pad.event(), x, y }, stamp);
  }

  // A control says what is to be done.
  send(control, event, stamp) {
    if (this.control === control) this.event = event;
    if (event.model !== undefined) this.page.touched = this.findLatents(event);
    this.page.act({ ...event, stamp });
  }

  findLatents({ model, latent }) {
    const { spec, view, touched } = this.page;
    if (latent !== undefined) return { model, latents: [latent] };
    return view ? { model, latents: findSide(spec, view, model).axes } : touched;
  }
}

// The small pictures behind the planes. They are asked for row by row, while nothing else is.
class Field {
  constructor(page) {
    this.page = page;
    this.canvases = new Map(); // by model and axes
    this.refused = false;
  }

  ask() {
    const { spec, view } = this.page;
    if (this.refused || !view) return;
    const index = view.sides.findIndex((_, i) => this.get(i).rows < spec.field[0]);
    if (index < 0) return;
    const model = spec.sides[index].name;
    this.page.line.send({ type: "field", model, row: this.get(index).rows });
  }

  hear({ model, row, axes }, bytes) {
    const { spec } = this.page;
    const index = spec.sides.findIndex((side) => side.name === model);
    const part = this.get(index, axes);
    paintRow(part.canvas, bytes, spec.sides[index].channels, { row, size: spec.field[1] });
    part.rows = row + 1;
    this.page.draw();
  }

  // Of a model, with what is on its axes: a canvas, and how many rows it has.
  get(index, axes = this.page.view.sides[index].axes) {
    const key = [index, ...axes].join();
    if (!this.canvases.has(key)) {
      const [count, size] = this.page.spec.field;
      const canvas = make("canvas", { width: count * size, height: count * size });
      this.canvases.set(key, { canvas, rows: 0 });
    }
    return this.canvases.get(key);
  }
}

// What the kernel sends reaches every view of a widget: a state concerns all, the rest the one that
// asked for it.
function listenToKernel(model, page, show) {
  page.refuse = (text) => {
    page.field.refused ||= page.line.flying?.type === "field";
    page.status.warn(text);
    page.news = false;
  };
  const receive = (content, buffers) => {
    const arrived = performance.now();
    const own = content.page === page.id;
    const awaited = own && page.line.awaits(content); // what was asked again is answered again
    if (content.type === "view") show(content, buffers);
    else if (!awaited) return;
    else if (content.type === "field") page.field.hear(content, buffers[0]);
    else if (content.type === "code") page.status.offer(content.text);
    else if (content.type === "file") save(page.status, content, buffers[0]);
    else page.refuse(content.text);
    if (!own) return;
    if (page.root.classList.contains("stale")) page.status.say(AGAIN);
    page.root.classList.remove("stale");
    page.line.hear(content);
    rest(page);
    // For those who measure.
    const detail = { ...content, arrived };
    page.root.dispatchEvent(new CustomEvent("answered", { detail }));
  };
  const cut = () => page.line.cut();
  const unwatch = page.line.watch(() => page.line.send({ type: "hello" }));
  const listeners = {
    "msg:custom": receive,
    "comm:close": cut,
    comm_live_update: cut, // JupyterLab says so when a kernel is started anew
  };
  for (const [name, listener] of Object.entries(listeners)) model.on(name, listener);
  return () => {
    for (const [name, listener] of Object.entries(listeners)) model.off(name, listener);
    unwatch();
    page.player.stop();
    page.line.close();
  };
}

// The line of text under the buttons, and below it the codes that were asked for.
function makeStatus(first) {
  const line = make("div", { class: "status", role: "status", "aria-live": "polite" }, first);
  const note = make("p", { class: "hint", role: "note", hidden: "" });
  const code = make("pre", { hidden: "", tabindex: 0, "aria-label": "The codes as Python" });
  const hint = (text) => {
    note.hidden = false;
    note.textContent = text;
  };
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
  return { nodes: [line, note, code], say, warn, hint, offer };
}

// Hand a file to the browser to save.
function save(status, { name, mime }, bytes) {
  const url = URL.createObjectURL(new Blob([bytes], { type: mime }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEEP_FILE);
  status.say(`Saved ${name}.`);
}

// One track at a time plays; its next place is sent once the last has been answered.
//   track.mark(on): called when it starts and stops
//   track.play(turns): what it does after so many periods
//   track.end: after how many it is over, if ever
function makePlayer(page) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let playing = null;
  const stop = () => {
    playing?.track.mark(false);
    playing = null;
    rest(page);
  };
  const start = (track) => {
    const mine = { track };
    const begin = performance.now();
    let last = null;
    playing = mine;
    track.mark(true);
    const tick = (now) => {
      if (playing !== mine || !page.root.isConnected) return;
      const since = (now - begin) / (1000 * PERIOD);
      const place = calm.matches ? Math.floor(STOPS * since) / STOPS : since;
      const turns = Math.min(place, track.end ?? Number.POSITIVE_INFINITY);
      const free = page.line.isIdle();
      if (free && turns !== last) {
        track.play(turns);
        last = turns;
      }
      if (free && turns === track.end) stop();
      else requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  };
  const toggle = (track) => {
    const again = playing?.track === track;
    stop();
    if (!again) start(track);
  };
  const stopShow = () => {
    if (playing?.track.end) stop();
  };
  return { toggle, stop, stopShow, isPlaying: () => playing !== null };
}

// The buttons, and whether one hand moves all planes.
function makeToolbar(page) {
  const button = (text, event) => {
    const press = () => {
      page.hand.release(page.hand.control); // its key was let go elsewhere
      page.player.stopShow();
      page.act(event());
    };
    return make("button", { type: "button", onclick: press }, text);
  };
  const film = button("GIF", () => ({ type: "gif", ...page.touched }));
  const node = make(
    "div",
    { class: "bar" },
    button("Reset", () => ({ type: "reset" })),
    button("Sample prior", () => ({ type: "prior" })),
    button("Sample posterior", () => ({ type: "posterior" })),
    button("Clear trail", () => ({ type: "clear" })),
    button("Copy z", () => ({ type: "code" })),
    button("PNG", () => ({ type: "png" })),
    film,
  );
  const setLink = (event) => page.act({ type: "link", value: event.target.checked });
  const link = make("input", { type: "checkbox", onchange: setLink });
  if (page.spec.sides.length > 1) {
    node.append(make("label", {}, link, "one hand moves all planes"));
  }
  const show = (view) => {
    const { model, latents } = page.touched;
    film.textContent = `GIF of ${model} ${latents.map((latent) => `z${latent}`).join(", ")}`;
    link.checked = view.linked;
  };
  return { node, show };
}

// What moves by itself when asked, and what a hand shall reach.
function makeLesson(page) {
  const [first] = page.spec.sides;
  const [latent] = first.latents[0];
  const [{ low, high }, down] = page.spec.axes;
  const inset = (high - low) / 10;
  const send = (event) => page.line.send(event);
  const say = (text) => speak(page, text);
  const shows = [
    {
      text: "a straight walk",
      say: say("A circle walks straight on. Look at its trail in each plane, and at the lengths."),
      begin: () => page.act({ type: "clear" }),
      play: (turns) => {
        const x = low + inset + turns * (high - low - 2 * inset);
        send({ type: "image", x, y: (down.low + down.high) / 2 });
      },
    },
    {
      text: "one latent",
      say: `z${latent} of ${first.name} goes to and fro, and all else stays.`,
      begin() {
        page.touched = { model: first.name, latents: [latent] };
        page.act({ type: "reset" });
      },
      play: (turns) => {
        const value = page.spec.traversal_span * Math.sin(2 * Math.PI * turns);
        send({ type: "slider", model: first.name, latent, value });
      },
    },
    {
      text: "between two codes",
      say: say("From one circle's code straight to another's. Does a circle move, or fade?"),
      begin: () => page.act({ type: "clear" }),
      play: (turns) => send({ type: "walk", share: turns }),
    },
  ];
  const buttons = shows.map((show) => makeShowButton(page, show));
  const goal = makeGoalButton(page);
  return make("div", { class: "bar" }, make("span", {}, "Show me:"), ...buttons, goal);
}

function makeShowButton(page, { text, say, begin, play }) {
  const button = make("button", { type: "button", "aria-pressed": false }, text);
  const mark = (on) => {
    button.setAttribute("aria-pressed", on);
    if (!on) return;
    page.status.say(say);
    begin();
  };
  const track = { mark, play, end: 1 };
  button.addEventListener("click", () => page.player.toggle(track));
  return button;
}

function makeGoalButton(page) {
  const { goal, goal_reached: share } = page.spec;
  const [x, y] = goal.map((value) => Math.round(value));
  const button = make("button", { type: "button", "aria-pressed": false }, "A goal for your hand");
  button.addEventListener("click", () => {
    page.goal = !page.goal;
    button.setAttribute("aria-pressed", page.goal);
    const [across, down] = page.spec.axes.map(({ name }) => name);
    const where = `in the green ring, at ${across} ${x}, ${down} ${y}`;
    const task = speak(page, `Drag in a plane until its picture is the circle ${where}: `);
    const measure = `${percent(share)} of the light in common reaches the goal.`;
    page.status.say(page.goal ? task + measure : "");
    page.draw();
  });
  return button;
}

// The true circle, to be dragged; below it help, buttons and status.
function makeTruthPanel(page, toolbar) {
  const { im_size: size, grid, goal: place, circle_radius: radius, axes, frame } = page.spec;
  // Not on the page: it is drawn into the pad.
  const picture = make("canvas", { width: size, height: size });
  const pad = makePad({
    name: speak(page, "Image plane, with the true circle"),
    x: frame[0],
    y: [frame[1][1], frame[1][0]],
    limits: axes.map(({ low, high }) => [low, high]),
    steps: axes.map(({ step }) => step),
    where: () => page.view?.circle,
    hand: page.hand,
    point: makePointing(page, () => [pad, grid]),
  });
  pad.trace = (place) => page.invite.follow(pad, grid, place);
  pad.event = () => ({ type: "image" });
  const note = soft("");
  const [across, down] = axes.map(({ name }) => name);
  const caption = [make("b", {}, speak(page, "the true circle")), soft(`${across} →  ${down} ↓`)];
  const figure = makeFigure(caption, pad.canvas, note);
  const lesson = [makeHelp(page), makeInvitations(page), makeLesson(page)];
  const factors = makeFactors(page);
  const parts = [...lesson, toolbar.node, ...page.status.nodes, makeLegend(page)];
  const tools = make("div", { class: "tools" }, ...factors.nodes, ...parts);
  const node = make("div", { class: "side" }, figure, tools);
  const show = (view) => {
    const goal = page.goal ? { place, radius } : null;
    drawTruth(pad, { view, grid, picture, goal, pointed: page.pointed });
    note.textContent = compareLengths("path", view.lengths, axes[0].unit === "pixels" ? " px" : "");
    factors.show(view);
  };
  return { node, show, paint: (_, bytes) => paint(picture, bytes, page.spec.channels) };
}

// A slider for each factor that is no place.
function makeFactors(page) {
  const rows = page.spec.factors.map((factor, index) => makeFactor(page, factor, index));
  const nodes = rows.length ? [make("div", { class: "sliders" }, ...rows.map((r) => r.node))] : [];
  const show = (view) => {
    for (const row of rows) row.show(view);
  };
  return { nodes, show };
}

function makeFactor(page, { name, low, high, unit, levels, kinds, step }, index) {
  const counted = levels.length > 0; // then the slider moves from level to level
  const toPlace = (value) => (counted ? levels.indexOf(value) : value);
  const tell = (value) => kinds[levels.indexOf(value)] ?? numeral(value, counted ? 2 : 1);
  const set = (value, stamp) => page.hand.send(input, { type: "factor", name, value }, stamp);
  let start = low; // the factor's value when the slider was taken
  const input = make("input", {
    type: "range",
    min: counted ? 0 : low,
    max: counted ? levels.length - 1 : high,
    step: counted ? 1 : step,
    "aria-label": `True ${name}${unit && `, ${unit}`}`,
    onpointerdown: () => {
      start = page.view ? page.view.factors[index] : start;
      page.hand.hold(input);
    },
    onpointercancel: (event) => set(start, event.timeStamp), // the touch became a scroll
    onkeydown: () => page.hand.hold(input),
    oninput: ({ target, timeStamp }) => {
      set(counted ? levels[Number(target.value)] : Number(target.value), timeStamp);
    },
  });
  listenToEnd(input, () => page.hand.release(input));
  const value = make("span", { class: "value", "aria-hidden": true }); // the slider tells its value
  const show = (view) => {
    const now = view.factors[index];
    if (page.hand.control !== input) input.value = toPlace(now);
    value.textContent = tell(now);
    input.setAttribute("aria-valuetext", `${tell(now)}${unit && ` ${unit}`}`);
  };
  return { node: make("div", { class: "factor" }, make("span", {}, name), input, value), show };
}

function makeHelp(page) {
  const code = explain(page, "code");
  const plane = explain(page, "latent plane");
  return make(
    "p",
    {},
    speak(page, "Drag the circle, and each encoder says where it puts it: its "),
    code,
    ". Or drag in a ",
    plane,
    ", and the pictures follow. Arrow keys work, too; Shift makes fine steps.",
  );
}

function makeLegend(page) {
  const paragraphs = LEGEND.map((text) => make("p", { class: "soft" }, speak(page, text)));
  const summary = make("summary", {}, "What is to be seen, and what the buttons do");
  return make("details", {}, summary, ...paragraphs, makeGlossary(page));
}

// The length of a trail beside that of the straight line between its ends.
function compareLengths(name, [length, straight], unit = "") {
  if (!length) return `no ${name} yet`;
  return `${name} ${length.toFixed(1)}${unit}, straight ${straight.toFixed(1)}`;
}

// What is pointed at in one pad is shown in all; `of` gives the pad and its grid.
function makePointing(page, of) {
  return (...place) => {
    const [pad, grid] = of();
    const [nearest] = place.length ? findNear(pad, grid, place) : [];
    const pointed = nearest?.slice(0, 2) ?? null;
    if (`${pointed}` === `${page.pointed}`) return;
    page.pointed = pointed;
    page.draw();
  };
}

// One model: its latent plane, its picture and its sliders.
function makeSidePanel(page, side, index) {
  const plane = makeLatentPlane(page, side, index);
  const picture = makePicture(page, side, index);
  const sliders = makeSliders(page, side, index);
  const parts = [plane, picture, sliders];
  return {
    node: make("div", { class: "side model" }, ...parts.map((part) => part.node)),
    show(view) {
      for (const part of parts) part.show(view);
    },
    paint: picture.paint,
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
    limits: [
      [-span, span],
      [-span, span],
    ],
    steps: [PLANE_STEP, PLANE_STEP],
    where,
    hand: page.hand,
    point: makePointing(page, () => [pad, page.view?.sides[index].grid ?? []]),
  });
  pad.trace = (place) => {
    const grid = page.view?.sides[index].grid;
    if (grid?.length) page.invite.follow(pad, grid, place, side.name);
  };
  pad.event = () => ({ type: "latent", model: side.name });
  const axes = [makeAxisChoice(page, side, index, 0), makeAxisChoice(page, side, index, 1)];
  const choice = make("span", { class: "soft" }, "→ ", axes[0], " ↑ ", axes[1]);
  const [note, story] = [soft(""), make("span", { class: "story" })];
  return {
    node: makeFigure([make("b", {}, side.name), choice], pad.canvas, note, story),
    show(view) {
      const shown = view.sides[index];
      const { grid } = shown;
      const field = page.field.get(index);
      const { pointed, theme } = page;
      const { encoded } = view;
      const { channels } = side;
      drawPlane(pad, { shown, grid, field, channels, theme, span, encoded, pointed });
      note.textContent = compareLengths("trail", shown.lengths);
      story.textContent = tellStory(side.latents, shown.axes);
      axes.forEach((select, axis) => {
        select.value = shown.axes[axis];
      });
    },
  };
}

// Whether the pair on the axes is all that informs.
function tellStory(latents, axes) {
  const informative = latents.filter(([, , informs]) => informs).map(([latent]) => latent);
  const hidden = informative.filter((latent) => !axes.includes(latent));
  const asleep = axes.filter((latent) => !informative.includes(latent));
  if (!informative.length) return "No latent of this model informs.";
  if (hidden.length) {
    const names = hidden.map((latent) => `z${latent}`).join(", ");
    const count = `${informative.length - hidden.length} of ${informative.length}`;
    return `Not the whole story: ${count} informative latents; ${names} not seen here.`;
  }
  if (asleep.length) return `${asleep.map((latent) => `z${latent}`).join(" and ")}: asleep.`;
  return "The whole story: no other latent informs.";
}

// Which latent is shown on an axis: 0 to the right, 1 upwards.
function makeAxisChoice(page, side, index, axis) {
  const choose = (event) => {
    const chosen = [...(page.view?.sides[index].axes ?? side.latents.map(([latent]) => latent))];
    const latent = Number(event.target.value);
    if (chosen[1 - axis] === latent) chosen[1 - axis] = chosen[axis]; // they change places
    chosen[axis] = latent;
    page.act({ type: "axes", model: side.name, x: chosen[0], y: chosen[1] });
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
  const [black, white] = side.scale.map((value) => numeral(value, 2));
  const isScaled = side.scale[0] !== 0 || side.scale[1] !== 1;
  const scaled = isScaled ? `, scaled: black is ${black}, white ${white}` : "";
  const note = soft("");
  return {
    node: makeFigure([soft(`what ${side.name} decodes${scaled}`)], canvas, note),
    show(view) {
      const shown = view.sides[index];
      const reached = isReached(page.spec, view, shown) ? ": reached" : "";
      note.textContent = page.goal ? `goal: ${percent(shown.overlap)}${reached}` : "";
    },
    paint(view, bytes) {
      paint(canvas, bytes, side.channels);
      const label = `Picture decoded by ${view.sides[index].text}${scaled}`;
      canvas.setAttribute("aria-label", label);
    },
  };
}

function makeSliders(page, side, index) {
  const sliders = side.latents.map((latent) => makeSlider(page, side, index, latent));
  const summary = make("summary", {}, `All latents of ${side.name}, by posterior variance`);
  const rows = make("div", { class: "sliders" }, ...sliders.map((slider) => slider.node));
  const key = make(
    "p",
    { class: "soft" },
    "Each slider is a ",
    explain(page, "latent"),
    ": ● ",
    explain(page, "informative"),
    ", ○ asleep; ",
  );
  key.append(
    "the number: ",
    explain(page, "posterior variance"),
    speak(page, ". Double click: back to the circle's."),
  );
  return {
    node: make("details", { open: "" }, summary, key, rows),
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
  const set = (value, stamp) =>
    page.hand.send(input, { type: "slider", model: side.name, latent, value }, stamp);
  let start = 0; // the latent's value when the slider was taken
  const input = make("input", {
    type: "range",
    min: -span,
    max: span,
    step: SLIDER_STEP,
    class: mark,
    "aria-label": full,
    onpointerdown: () => {
      start = page.view ? page.view.sides[index].z[latent] : 0;
      page.hand.hold(input);
    },
    onpointercancel: (event) => set(start, event.timeStamp), // the touch became a scroll
    onkeydown: () => page.hand.hold(input),
    oninput: (event) => set(Number(event.target.value), event.timeStamp),
  });
  listenToEnd(input, () => page.hand.release(input));
  input.addEventListener("dblclick", (event) => {
    if (page.view) set(page.view.sides[index].mean[latent], event.timeStamp);
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
  const node = make("div", { class: "latent" }, label, input, value, play);
  return { node, show };
}

function makePlayButton(page, name, set) {
  const attributes = { type: "button", class: "play", "aria-label": `Play ${name}` };
  const button = make("button", { ...attributes, "aria-pressed": false }, "▶");
  const mark = (on) => {
    button.textContent = on ? "■" : "▶";
    button.setAttribute("aria-pressed", on);
    if (on) page.invite.played();
  };
  const play = (turns) => set(page.spec.traversal_span * Math.sin(2 * Math.PI * turns));
  const track = { mark, play };
  button.addEventListener("click", () => page.player.toggle(track));
  return button;
}

export default { render };
