// The page of a scene in hand: its objects are taken by their slots. All state lives in the core;
// here it is shown, and touched.

import { KernelLine } from "./line.js";
import {
  drawHandle,
  listenToEnd,
  make,
  makeFigure,
  makePad,
  numeral,
  paint,
  readTheme,
  SIZE,
  soft,
  watchTheme,
} from "./pads.js";

const PIXEL_STEP = 1; // what an arrow key moves an object, in pixels of the image
const HUE_STEP = 1; // degrees
const LATENT_STEP = 0.01;
const EDGE = [
  { strokeStyle: "#222", lineWidth: 5 },
  { strokeStyle: "white", lineWidth: 2.5 },
]; // of the chosen slot: two lines, one over the other, seen on any color
const HUES = "red orange yellow lime green teal cyan azure blue violet magenta pink".split(" ");

const STARTING = "Waiting for the kernel. Run this cell if nothing appears.";
const NOTHING =
  "Nothing but the ground there: press on an object to take it. Arrow keys move the chosen one.";
const LEGEND = [
  "Left, a scene that the model has not seen in training; right, what it draws from one code for " +
    "each slot. The outline is where the chosen slot has most of a pixel.",
  "An object is moved and recoloured along straight lines of its code: an affine map from codes " +
    "to place and hue was fitted to other scenes. So the drawing goes nearly where it is asked " +
    "to go, and the line of text says where it went. Nothing but the code is changed.",
  "A slot that draws the same object as another is left out when a scene is opened: moved, it " +
    "would leave the other behind. Bring it back to see that.",
];

// What the parts of a page share.
//   spec: what the core told at first
//   view: its last answer, null before the first
//   wanted: where the chosen object was asked to be, until an answer says where it is
//   done: the last event; news: whether what became of it is still to be said
function render({ model, el }) {
  const root = make("div", {
    class: "sbd-explorer sbd-scene",
    role: "group",
    "aria-label": "A scene in hand",
  });
  const page = { spec: model.get("spec"), root, view: null, wanted: null, done: null };
  page.news = true;
  page.id = Math.random().toString(36).slice(2); // one widget may be on the page twice
  page.status = makeStatus(model.silence ? "" : STARTING);
  page.line = makeLine(model, page);
  page.hand = new Hand(page);
  page.act = (event, stamp) => {
    Object.assign(page, { done: event, news: true });
    page.line.send({ ...event, stamp });
  };
  const parts = [makeScene(page), makeDrawing(page), makeTools(page)];
  root.style.setProperty("--models", 2);
  root.append(make("div", { class: "panels" }, ...parts.map(({ node }) => node)));
  el.append(root);
  page.draw = () => {
    if (page.view) for (const part of parts) part.show(page.view);
  };
  page.theme = readTheme(root);
  const unwatch = watchTheme(() => {
    page.theme = readTheme(root);
    page.draw();
  });
  const end = listenToCore(model, page);
  page.line.send({ type: "hello" });
  return () => {
    unwatch();
    end();
  };
}

function makeStatus(first) {
  const line = make("div", { class: "status", role: "status", "aria-live": "polite" }, first);
  const tell = (text, error) => {
    line.classList.toggle("error", error);
    line.textContent = text;
  };
  return { line, say: (text) => tell(text, false), warn: (text) => tell(text, true) };
}

function makeLine(model, page) {
  return new KernelLine(model, {
    name: page.id,
    onTrouble(text) {
      page.root.classList.add("stale"); // what is shown is not what was done last
      page.status.warn(text);
    },
    onDelay: (text) => page.status.say(text),
    onChange(count) {
      page.root.dataset.waiting = count;
    },
  });
}

function listenToCore(model, page) {
  const receive = (content, pictures) => {
    if (content.type === "view") Object.assign(page, { view: content, pictures });
    if (content.page === page.id) {
      const awaited = page.line.awaits(content);
      page.root.classList.remove("stale");
      page.line.hear(content);
      if (content.type === "error" && awaited) {
        page.status.warn(content.text);
        page.news = false;
      } else if (page.line.isIdle()) rest(page);
    }
    page.draw();
  };
  const cut = () => page.line.cut();
  const unwatch = page.line.watch(() => page.line.send({ type: "hello" }));
  const listeners = { "msg:custom": receive, "comm:close": cut, comm_live_update: cut };
  for (const [name, listener] of Object.entries(listeners)) model.on(name, listener);
  return () => {
    for (const [name, listener] of Object.entries(listeners)) model.off(name, listener);
    unwatch();
    page.line.close();
  };
}

// All that was done has been answered: what is seen is what was asked for. Said once nothing is
// held.
function rest(page) {
  page.wanted = null;
  if (page.hand.control || !page.news || !page.view) return;
  page.status.say(describe(page));
  page.news = false;
}

// What was done last, and what became of it.
function describe({ view, done }) {
  const slot = view.slots[view.slot];
  const name = `Slot ${view.slot}`;
  const drawn = describeDrawing(slot);
  switch (done?.type) {
    case "place":
      return `${name}, asked to be at ${placeText(done)}, is drawn ${drawn}.`;
    case "hue":
      return `${name}, asked for hue ${numeral(done.degrees)}°, is drawn ${drawn}.`;
    case "latent":
      return `${name}, z${done.latent} = ${numeral(done.value, 2)}, is drawn ${drawn}.`;
    case "show":
      return done.value ? `${name} is back, drawn ${drawn}.` : `${name} is left out.`;
    case "choose":
      return `${name}: ${describeSlot(slot)}.`;
  }
  return describeScene(view);
}

function describeScene({ scene, slots }) {
  const having = (test) => slots.flatMap((slot, i) => (test(slot) ? [i] : []));
  const objects = having(({ kind, twin }) => kind === "object" && twin === null);
  const twins = having(({ twin }) => twin !== null);
  const out = twins.map((i) => `Slot ${i} draws the same object as slot ${slots[i].twin}`);
  const left = out.map((text) => ` ${text}, and is left out.`).join("");
  const s = objects.length === 1 ? "" : "s";
  const where = `${objects.length} object${s}, in slot${s} ${objects.join(", ")}`;
  return `Scene ${scene + 1}: ${objects.length ? where : "no objects"}.${left}`;
}

function describeSlot({ kind, twin, shown, ...drawn }) {
  if (!shown) return twin === null ? "left out" : `left out, it draws the object of slot ${twin}`;
  if (kind === "ground") return "the ground";
  return kind === "spare" && !drawn.center ? "spare" : describeDrawing(drawn);
}

function describeDrawing({ center, hue }) {
  if (!center) return "nowhere";
  const color = hue === null ? "" : `, ${hueWord(hue)} (hue ${numeral(hue)}°)`;
  return `at ${placeText({ x: center[0], y: center[1] })}${color}`;
}

function placeText({ x, y }) {
  return `x ${numeral(x, 1)}, y ${numeral(y, 1)}`;
}

function hueWord(hue) {
  return HUES[Math.round((hue / 360) * HUES.length) % HUES.length];
}

// What is held, and from where. An object is taken where it is pressed, and does not jump.
class Hand {
  constructor(page) {
    this.page = page;
    this.control = null;
    this.grip = null; // from the pointer to what the object's code says, or null: nothing is taken
    this.isNew = false; // whether the pointer has just been pressed
    this.byKey = false;
  }

  hold(control) {
    this.control = control;
  }

  release(control) {
    if (this.control !== control) return;
    this.control = null;
    if (this.page.line.isIdle()) rest(this.page);
    this.page.draw();
  }

  // The pad is touched at a place, or an arrow key moves there.
  move(_, x, y, stamp) {
    const { view } = this.page;
    if (!view) return;
    if (this.byKey) this.put(view.slot, [x, y], stamp);
    else if (this.isNew) this.take(x, y);
    else if (this.grip) this.put(this.taken, [x + this.grip[0], y + this.grip[1]], stamp);
  }

  take(x, y) {
    const { page } = this;
    const slot = page.find(x, y);
    this.isNew = false;
    this.grip = null;
    if (page.view.slots[slot].kind !== "object") {
      page.status.say(NOTHING);
      return;
    }
    const { place } = page.view.slots[slot];
    this.taken = slot;
    this.grip = [place[0] - x, place[1] - y];
    page.act({ type: "choose", slot });
  }

  put(slot, place, stamp) {
    const { page } = this;
    const [low, high] = page.spec.reach;
    const [x, y] = place.map((value) => Math.min(Math.max(value, low), high));
    page.wanted = { slot, place: [x, y] };
    page.draw();
    page.act({ type: "place", slot, x, y }, stamp);
  }
}

function makeScene(page) {
  const { im_size: size, scenes } = page.spec;
  const attributes = { class: "picture", role: "img", width: size, height: size };
  const canvas = make("canvas", { ...attributes, "aria-label": "The scene" });
  const number = soft("");
  return {
    node: makeFigure([make("b", {}, "the scene"), number], canvas),
    show({ scene }) {
      paint(canvas, page.pictures[0], 3);
      number.textContent = `${scene + 1} of ${scenes}`;
      canvas.setAttribute("aria-label", `Scene ${scene + 1}, as it was given to the model`);
    },
  };
}

// What is drawn, with the chosen slot outlined; an object is dragged there.
function makeDrawing(page) {
  const { im_size: size, reach } = page.spec;
  const drawing = make("canvas", { width: size, height: size }); // drawn into the pad
  const where = () => {
    const { wanted, view } = page;
    const chosen = view?.slots[view.slot];
    if (chosen?.kind !== "object" || !chosen.shown) return null;
    return wanted?.slot === view.slot ? wanted.place : chosen.place;
  };
  const pad = makePad({
    name: "What the model draws, with the chosen slot's object",
    x: [0, size],
    y: [size, 0],
    limits: [reach, reach],
    steps: [PIXEL_STEP, PIXEL_STEP],
    where,
    hand: page.hand,
    point(...place) {
      const slot = place.length && page.view ? page.find(...place) : null;
      pad.canvas.style.cursor = page.view?.slots[slot]?.kind === "object" ? "grab" : "default";
    },
  });
  page.find = (x, y) => {
    const [column, row] = [x, y].map((value) => Math.min(Math.floor(value), size - 1));
    return page.pictures[2].getUint8(size * row + column);
  };
  const node = makeFigure([make("b", {}, "drawn anew"), soft("x →  y ↓")], pad.canvas);
  // Before the pad hears of it.
  node.addEventListener("keydown", () => Object.assign(page.hand, { byKey: true }), true);
  const press = () => Object.assign(page.hand, { byKey: false, isNew: true });
  node.addEventListener("pointerdown", press, true);
  return {
    node,
    show(view) {
      paint(drawing, page.pictures[1], 3);
      pad.context.imageSmoothingEnabled = false;
      pad.context.drawImage(drawing, 0, 0, SIZE, SIZE);
      drawOutline(pad, page.pictures[2], size, view.slot);
      const place = where();
      if (place) drawHandle(pad, place);
    },
  };
}

// The edges between pixels that a slot wins and those that it does not.
function drawOutline({ context, toPixels }, winners, size, slot) {
  const isIn = (row, column) =>
    Math.min(row, column) >= 0 &&
    Math.max(row, column) < size &&
    winners.getUint8(size * row + column) === slot;
  context.beginPath();
  for (let row = 0; row <= size; row++) {
    for (let column = 0; column <= size; column++) {
      const [left, above] = [isIn(row, column - 1), isIn(row - 1, column)];
      const ends = [
        [isIn(row, column) !== left, [column, row + 1]],
        [isIn(row, column) !== above, [column + 1, row]],
      ];
      for (const [isEdge, end] of ends) {
        if (!isEdge) continue;
        context.moveTo(...toPixels([column, row]));
        context.lineTo(...toPixels(end));
      }
    }
  }
  for (const style of EDGE) {
    Object.assign(context, { ...style, lineCap: "round" });
    context.stroke();
  }
}

function makeTools(page) {
  const parts = [makeSlots(page), makeHue(page), makeButtons(page), makeLatents(page)];
  const help =
    "Choose an object and drag it, or move it with the arrow keys; Shift makes fine steps. Its " +
    "slot's code is moved, and the decoder draws the scene anew.";
  const [slots, hue, buttons, latents] = parts.map(({ node }) => node);
  const summary = make("summary", {}, "What is to be seen, and how an object is moved");
  const legend = make(
    "details",
    {},
    summary,
    ...LEGEND.map((text) => make("p", { class: "soft" }, text)),
  );
  const above = [make("p", {}, help), slots, hue, buttons, page.status.line];
  return {
    node: make("div", { class: "tools" }, ...above, latents, legend),
    show(view) {
      for (const part of parts) part.show(view);
    },
  };
}

// Which slot is chosen; arrow keys choose another, as in any group of radio buttons.
function makeSlots(page) {
  const rows = Array.from({ length: page.spec.slots }, (_, slot) => {
    const choose = () => page.act({ type: "choose", slot });
    const input = make("input", { type: "radio", name: `${page.id}-slot`, onchange: choose });
    const swatch = make("span", { class: "swatch", "aria-hidden": true });
    const text = make("span", {});
    return { input, swatch, text, node: make("label", {}, input, swatch, text) };
  });
  const legend = make("legend", {}, "Slots");
  return {
    node: make("fieldset", { class: "slots" }, legend, ...rows.map(({ node }) => node)),
    show({ slot: chosen, slots }) {
      rows.forEach(({ input, swatch, text, node }, i) => {
        const { color, shown } = slots[i];
        const bytes = color?.map((value) => Math.round(255 * value)).join(" ");
        input.checked = i === chosen;
        swatch.style.background = color ? `rgb(${bytes})` : "transparent";
        node.classList.toggle("out", !shown);
        text.textContent = `${i}: ${describeSlot(slots[i])}`;
      });
    },
  };
}

// A slider of the chosen slot.
//   about: min, max, step of its value, and its name
//   value(slot): of a slot as the view has it, or null where it has none
//   event(value): what moving it does
function makeSlider(page, { name, unit = "", digits = 0, value, event, ...range }) {
  const output = make("span", { class: "value", "aria-hidden": true }); // the slider tells it
  const set = (number, stamp) => {
    if (page.view) page.act({ ...event(number), slot: page.view.slot }, stamp);
  };
  let start = 0; // its value when it was taken
  const input = make("input", {
    type: "range",
    ...range,
    "aria-label": name,
    onpointerdown: () => {
      start = Number(input.value);
      page.hand.hold(input);
    },
    onpointercancel: ({ timeStamp }) => set(start, timeStamp), // the touch became a scroll
    onkeydown: () => page.hand.hold(input),
    oninput: ({ timeStamp }) => set(Number(input.value), timeStamp),
  });
  listenToEnd(input, () => page.hand.release(input));
  return {
    node: make("div", { class: "latent" }, make("span", {}, name), input, output),
    show(view) {
      const now = value(view.slots[view.slot]);
      input.disabled = now === null;
      if (now !== null && page.hand.control !== input) input.value = now;
      const text = now === null ? "–" : `${numeral(now, digits)}${unit}`;
      output.textContent = text;
      input.setAttribute("aria-valuetext", text);
    },
  };
}

function makeHue(page) {
  const hue = makeSlider(page, {
    name: "hue",
    unit: "°",
    min: 0,
    max: 360,
    step: HUE_STEP,
    value: ({ kind, shown, turn }) => (kind === "object" && shown ? turn : null),
    event: (degrees) => ({ type: "hue", degrees }),
  });
  return { node: make("div", { class: "sliders" }, hue.node), show: hue.show };
}

function makeLatents(page) {
  const { latents, span } = page.spec;
  const range = { min: -span, max: span, step: LATENT_STEP, digits: 2 };
  const sliders = Array.from({ length: latents }, (_, latent) =>
    makeSlider(page, {
      name: `z${latent}`,
      ...range,
      value: ({ code }) => code[latent],
      event: (value) => ({ type: "latent", latent, value }),
    }),
  );
  const summary = make("summary", {}, "All latents of the chosen slot");
  const rows = make("div", { class: "sliders" }, ...sliders.map(({ node }) => node));
  return {
    node: make("details", {}, summary, rows),
    show(view) {
      for (const slider of sliders) slider.show(view);
    },
  };
}

function makeButtons(page) {
  const button = (text, event) => {
    const press = () => {
      if (page.view) page.act(event(page.view));
    };
    return make("button", { type: "button", onclick: press }, text);
  };
  const out = button("Leave out", ({ slot, slots }) => {
    return { type: "show", slot, value: !slots[slot].shown };
  });
  const reset = button("Reset", () => ({ type: "reset" }));
  const another = button("Another scene", ({ scene }) => {
    return { type: "scene", scene: (scene + 1) % page.spec.scenes };
  });
  return {
    node: make("div", { class: "bar" }, out, reset, another),
    show({ slot, slots }) {
      out.textContent = `${slots[slot].shown ? "Leave out" : "Bring back"} slot ${slot}`;
    },
  };
}

export default { render };
