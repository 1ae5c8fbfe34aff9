// A scene whose objects are taken by their slots: a pad over the picture, and a few buttons.

import { listenToEnd, make, makePad, paint, readTheme, watchTheme } from "./pads.js";

const RING = 11; // radius of the ring around what is held, in units of the pad
const STEP = 1; // pixels of the scene that an arrow key moves by
const START = "Click on a sprite to take it, or press N for the next one.";

// One touch is on its way at a time; of what comes meanwhile, the newest of its kind waits.
function makeWire(model, show) {
  const waiting = new Map();
  let busy = false;
  const next = () => {
    const [entry] = waiting;
    busy = entry !== undefined;
    if (!busy) return;
    waiting.delete(entry[0]);
    model.send(entry[1]);
  };
  const hear = (content, buffers) => {
    show(content, buffers);
    next();
  };
  model.on("msg:custom", hear);
  const send = (touch) => {
    waiting.set(touch.type, touch);
    if (!busy) next();
  };
  return { send, end: () => model.off("msg:custom", hear) };
}

function render({ model, el }) {
  const size = model.get("size");
  const picture = make("canvas", { width: size, height: size });
  const status = make("p", { class: "scene-status", role: "status" });
  const root = make("div", { class: "sbd-explorer sbd-scene", role: "group" });
  root.setAttribute("aria-label", "Scene editor");
  let view = null;
  let grasping = false; // the pointer was pressed, and has not yet taken anything

  const hand = {
    hold: () => {},
    release: () => {},
    move: (_, x, y) => {
      const held = view?.held !== null;
      if (grasping) wire.send({ type: "take", x, y });
      else if (held) wire.send({ type: dragging ? "drag" : "move", x, y });
      grasping = false;
    },
  };
  let dragging = false;
  const pad = makePad({
    name: "Scene",
    x: [0, size],
    y: [size, 0],
    limits: [
      [0, size],
      [0, size],
    ],
    steps: [STEP, STEP],
    where: () => view?.place ?? null,
    hand,
    point: () => {},
  });
  // Before the pad's own listeners: it reports a press and a move alike.
  pad.canvas.addEventListener(
    "pointerdown",
    () => {
      grasping = true;
      dragging = true;
    },
    { capture: true },
  );
  listenToEnd(pad.canvas, () => {
    grasping = false;
    dragging = false;
  });

  const button = (text, key, touch) => {
    const node = make("button", { type: "button", onclick: () => wire.send(touch) }, text);
    node.title = `Key ${key}`;
    return node;
  };
  const remove = button("Take out", "Delete", { type: "remove" });
  const slider = make("input", { type: "range", min: 0, max: 359, step: 1, value: 0 });
  slider.addEventListener("input", () => wire.send({ type: "hue", hue: Number(slider.value) }));
  const hue = make("label", { class: "scene-hue" }, "Hue ", slider);
  const tools = make(
    "div",
    { class: "scene-tools" },
    button("Next sprite", "N", { type: "next", step: 1 }),
    remove,
    button("As it was", "R", { type: "reset" }),
    hue,
  );
  const KEYS = {
    n: { type: "next", step: 1 },
    p: { type: "next", step: -1 },
    Delete: { type: "remove" },
    Backspace: { type: "remove" },
    r: { type: "reset" },
  };
  pad.canvas.addEventListener("keydown", (event) => {
    const touch = KEYS[event.key];
    if (!touch || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation(); // JupyterLab would hear it, too
    wire.send(touch);
  });

  const draw = () => {
    const { context } = pad;
    const wide = pad.canvas.width / pad.ratio;
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, 0, 0, wide, wide);
    if (!view?.place) return;
    for (const [color, width] of [
      ["black", 5],
      ["white", 2],
    ]) {
      context.beginPath();
      context.arc(...pad.toPixels(view.place), RING, 0, 2 * Math.PI);
      Object.assign(context, { strokeStyle: color, lineWidth: width });
      context.stroke();
    }
  };
  const show = (content, buffers) => {
    status.textContent = content.text || START;
    status.classList.toggle("error", content.type === "error");
    if (content.type !== "view") return;
    view = content;
    paint(picture, buffers[0], 3);
    const empty = view.held === null;
    remove.disabled = empty;
    slider.disabled = empty || view.hue === null;
    if (view.hue !== null && document.activeElement !== slider) slider.value = Math.round(view.hue);
    draw();
  };
  const wire = makeWire(model, show);
  const side = make("div", { class: "scene-side" }, tools, status);
  root.append(make("div", { class: "scene-pad" }, pad.canvas), side);
  el.append(root);
  readTheme(root);
  const unwatch = watchTheme(() => readTheme(root));
  wire.send({ type: "hello" });
  return () => {
    unwatch();
    wire.end();
  };
}

export default { render };
