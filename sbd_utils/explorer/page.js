// The face of the latent explorer. All state lives in the kernel; here it is drawn, and touched.

const SIZE = 256; // width of a pad in CSS pixels, as in explorer.css
const BLUES = ["#08306b", "#08519c", "#2171b5", "#4292c6", "#6baed6"];
const ORANGES = ["#7f2704", "#a63603", "#d94801", "#f16913", "#fd8d3c"];
const HAND = "#d55e00", TRAIL = "#009e73";
const MOVES = ["latent", "image", "slider"]; // of these only the newest counts
const CONTROLS = ["button", "canvas", "input", "select", "summary"]; // JupyterLab would take their arrow and enter keys
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  if (CONTROLS.includes(tag)) node.dataset.lmSuppressShortcuts = "true";
  node.append(...children);
  return node;
}

// A line to the kernel on which one message is under way at a time. While it is, only the newest position is kept;
// what is not a position (a button, an axis) is never dropped.
function makeLine(model, tell) {
  const waiting = [];
  let busy = false;
  const count = () => tell(waiting.length + busy);
  const same = (a, b) => a && MOVES.includes(a.type) && a.type === b.type && a.model === b.model && a.latent === b.latent;
  const next = () => {
    if (busy || !waiting.length) return;
    busy = true;
    model.send(waiting.shift());
  };
  return {
    send(event) {
      if (same(waiting.at(-1), event)) waiting.pop();
      waiting.push({ ...event, stamp: event.stamp ?? performance.now() });
      next();
      count();
    },
    answered() { busy = false; next(); count(); },
    idle: () => !busy && !waiting.length,
  };
}

// A canvas that reports where it is pressed, in the plane's own units, and moves in steps by the arrow keys.
function makePad({ name, x: [left, right], y: [bottom, top], step, where, move }) {
  const ratio = Math.max(2, window.devicePixelRatio || 1);
  const canvas = make("canvas", { class: "pad", tabindex: 0, role: "application", width: SIZE * ratio, height: SIZE * ratio });
  canvas.setAttribute("aria-roledescription", "two-dimensional slider");
  canvas.setAttribute("aria-label", `${name}. Drag, or move with the arrow keys; hold Shift for fine steps.`);
  const report = (event) => {
    const box = canvas.getBoundingClientRect();
    const u = (event.clientX - box.left) / box.width, v = (event.clientY - box.top) / box.height;
    move(left + Math.min(Math.max(u, 0), 1) * (right - left), top + Math.min(Math.max(v, 0), 1) * (bottom - top), event.timeStamp);
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    report(event);
  });
  canvas.addEventListener("pointermove", (event) => event.buttons && report(event));
  canvas.addEventListener("keydown", (event) => {
    if (!ARROWS[event.key]) return;
    event.preventDefault(); // they would scroll
    const [x, y] = where(), size = step / (event.shiftKey ? 10 : 1), [dx, dy] = ARROWS[event.key];
    move(x + dx * size, y + Math.sign(top - bottom) * dy * size, event.timeStamp);
  });
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const at = ([x, y]) => [((x - left) / (right - left)) * SIZE, ((y - top) / (bottom - top)) * SIZE];
  return { canvas, context, at, unit: SIZE / (right - left) };
}

function drawLine({ context, at }, points, color, width, dash = []) {
  context.beginPath();
  points.forEach((point, i) => context[i ? "lineTo" : "moveTo"](...at(point)));
  Object.assign(context, { strokeStyle: color, lineWidth: width, lineJoin: "round" });
  context.setLineDash(dash);
  context.stroke();
  context.setLineDash([]);
}

function drawGrid(pad, grid, alpha) {
  const half = grid.length / 2;
  pad.context.globalAlpha = alpha;
  grid.forEach((line, i) => {
    const shades = i < half ? BLUES : ORANGES;
    drawLine(pad, line, shades[Math.round(((i % half) / Math.max(half - 1, 1)) * 4)], 1.6, i < half ? [] : [5, 3]);
  });
  pad.context.globalAlpha = 1;
}

function drawCircle(pad, point, radii, { fill, stroke, width = 1 }) {
  const { context } = pad;
  context.beginPath();
  context.ellipse(...pad.at(point), ...radii, 0, 0, 2 * Math.PI);
  if (fill) { context.fillStyle = fill; context.fill(); }
  if (stroke) { Object.assign(context, { strokeStyle: stroke, lineWidth: width }); context.stroke(); }
}

function drawPlane(pad, side, grid, span, encoded) {
  const { context, at, unit } = pad;
  context.fillStyle = "#fdfdfb";
  context.fillRect(0, 0, SIZE, SIZE);
  for (const radius of [1, 2]) drawCircle(pad, [0, 0], [radius * unit, radius * unit], { stroke: "#e4e4e0" });
  drawLine(pad, [[-span, 0], [span, 0]], "#d0d0cc", 1);
  drawLine(pad, [[0, -span], [0, span]], "#d0d0cc", 1);
  context.fillStyle = "#777";
  context.font = "10px system-ui, sans-serif";
  for (const tick of [-2, 2]) {
    context.fillText(`${tick}`.replace("-", "−"), at([tick, 0])[0] - 4, at([0, 0])[1] + 12);
    context.fillText(`${tick}`.replace("-", "−"), at([0, 0])[0] + 4, at([0, tick])[1] + 4);
  }
  drawGrid(pad, grid, 0.85);
  if (side.trail.length > 1) drawLine(pad, side.trail, TRAIL, 3);
  const point = side.axes.map((latent) => side.z[latent]);
  drawLine(pad, [[-span, point[1]], [span, point[1]]], HAND, 0.6);
  drawLine(pad, [[point[0], -span], [point[0], span]], HAND, 0.6);
  if (encoded) drawCircle(pad, side.mean, side.std.map((std) => Math.max(std * unit, 0.5)), { fill: "#d55e0033", stroke: HAND, width: 1.5 });
  drawCircle(pad, point, encoded ? [2, 2] : [6, 6], { fill: HAND, stroke: "white", width: encoded ? 0.5 : 2 });
}

function drawTruth(pad, view, grid, picture) {
  const { context } = pad;
  context.globalAlpha = view.encoded ? 1 : 0.35; // dim: the code no longer comes from this circle
  context.imageSmoothingEnabled = false;
  context.fillStyle = "black";
  context.fillRect(0, 0, SIZE, SIZE);
  context.drawImage(picture, 0, 0, SIZE, SIZE);
  drawGrid(pad, grid, view.encoded ? 0.9 : 0.4);
  if (view.path.length > 1) drawLine(pad, view.path, TRAIL, 3);
  drawCircle(pad, view.circle, [3, 3], { fill: HAND, stroke: "white", width: 1 });
}

// Grey or RGB bytes to a canvas of as many pixels.
function paint(canvas, bytes, channels) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  for (let i = 0; i < canvas.width * canvas.height; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = bytes.getUint8(channels === 1 ? i : 3 * i + c);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

function render({ model, el }) {
  const spec = model.get("spec"), { span, im_size: size } = spec;
  const root = make("div", { class: "sbd-explorer", role: "group", "aria-label": "Latent explorer" });
  const line = makeLine(model, (count) => { root.dataset.waiting = count; });
  const button = (text, title, press) => make("button", { type: "button", title, onclick: press }, text);
  const status = make("div", { class: "status", role: "status", "aria-live": "polite" }, "Waiting for the kernel. Run this cell if nothing appears.");
  const kept = make("pre", { hidden: "", "aria-label": "The codes as Python" });
  let view = null, played = null, touched = { model: spec.sides[0].name, latent: spec.sides[0].latents[0][0] };

  const truth = make("canvas", { width: size, height: size }); // not on the page: drawn into the pad
  const image = makePad({
    name: "Image plane, with the true circle", x: [0, size], y: [size, 0], step: 1,
    where: () => view.circle, move: (x, y, stamp) => line.send({ type: "image", x, y, stamp }),
  });
  const sides = spec.sides.map((side, index) => {
    const shown = () => view.sides[index];
    const plane = makePad({
      name: `${side.name}, latent plane`, x: [-span, span], y: [-span, span], step: 0.1,
      where: () => shown().axes.map((latent) => shown().z[latent]),
      move: (x, y, stamp) => line.send({ type: "latent", model: side.name, x, y, stamp }),
    });
    const picture = make("canvas", { class: "picture", width: size, height: size, role: "img", "aria-label": side.name });
    const axes = ["x", "y"].map((axis, i) => make("select", {
      "aria-label": `${side.name}, latent ${i ? "upwards" : "to the right"}`,
      onchange: (event) => {
        const chosen = [...shown().axes];
        if (chosen[1 - i] === +event.target.value) chosen[1 - i] = chosen[i]; // both cannot be the same: change places
        chosen[i] = +event.target.value;
        line.send({ type: "axes", model: side.name, x: chosen[0], y: chosen[1] });
      },
    }, ...side.latents.map(([latent, variance, informative]) => make("option", { value: latent }, `${informative ? "● " : ""}z${latent}`))));
    const set = (latent, value, stamp) => {
      touched = { model: side.name, latent };
      line.send({ type: "slider", model: side.name, latent, value, stamp });
    };
    const sliders = side.latents.map(([latent, variance, informative]) => {
      const mark = informative ? "informative" : "";
      const name = `${side.name}, latent ${latent}, posterior variance ${variance.toPrecision(2)}${informative ? ", informative" : ""}`;
      const input = make("input", {
        type: "range", min: -span, max: span, step: 0.01, "aria-label": name, title: name, class: mark,
        oninput: (event) => set(latent, +event.target.value, event.timeStamp),
      });
      const value = make("span", { class: "value", "aria-hidden": true }); // the slider itself tells its value
      const play = make("button", { type: "button", class: "play", "aria-label": `Play ${side.name}, latent ${latent}`, "aria-pressed": false, onclick: () => toggle(side.name, latent, set) }, "▶");
      const label = make("span", { class: mark }, `${informative ? "●" : "○"} z${latent} `, make("span", { class: "soft" }, variance.toPrecision(1)));
      return { latent, input, value, play, nodes: [label, input, value, play] };
    });
    const node = make("div", { class: "side" },
      make("figure", {},
        make("figcaption", {}, make("b", {}, side.name), make("span", { class: "soft" }, "→ ", axes[0], " ↑ ", axes[1])), plane.canvas),
      make("figure", {}, make("figcaption", {}, make("span", { class: "soft" }, `what ${side.name} decodes`)), picture),
      make("details", { open: "" }, make("summary", {}, `All latents of ${side.name}, by posterior variance`),
        make("div", { class: "sliders" }, ...sliders.flatMap((slider) => slider.nodes))));
    return { side, plane, picture, axes, sliders, node, grid: [] };
  });

  // To and fro as a sine of time; the next value is sent once the last has been answered.
  function toggle(name, latent, set) {
    const same = played && played.name === name && played.latent === latent;
    played = same ? null : { name, latent, start: performance.now() };
    for (const each of sides) for (const slider of each.sliders) {
      const on = played && each.side.name === played.name && slider.latent === played.latent;
      slider.play.textContent = on ? "■" : "▶";
      slider.play.setAttribute("aria-pressed", Boolean(on));
    }
    const mine = played;
    const tick = (now) => {
      if (played !== mine || !mine || !root.isConnected) return;
      if (line.idle()) set(latent, 2 * Math.sin((now - mine.start) / 800));
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  const link = make("input", { type: "checkbox", onchange: (event) => line.send({ type: "link", value: event.target.checked }) });
  const bar = make("div", { class: "bar" },
    button("Reset", "The circle in the middle, the planes as at first", () => line.send({ type: "reset" })),
    button("Sample prior", "A code from N(0, 1) for each model", () => line.send({ type: "prior" })),
    button("Sample posterior", "A code from q(z|circle) for each model", () => line.send({ type: "posterior" })),
    button("Clear trail", "Forget the path", () => line.send({ type: "clear" })),
    button("Copy z", "The codes as Python", () => line.send({ type: "code" })),
    button("PNG", "Download the pictures", () => line.send({ type: "png" })),
    button("GIF", "Download a traversal of the latent moved last", () => line.send({ type: "gif", ...touched })));
  if (sides.length > 1) bar.append(make("label", {}, link, "one hand moves all planes"));

  const help = make("p", { class: "soft" }, "Drag the circle, and each encoder says where it puts it; or drag in a latent plane, and the pictures follow. Arrow keys work, too; Shift makes fine steps.");
  const truthNode = make("div", { class: "side" },
    make("figure", {}, make("figcaption", {}, make("b", {}, "the true circle"), make("span", { class: "soft" }, "x →  y ↓")), image.canvas),
    help, bar, status, kept);
  root.append(make("div", { class: "panels" }, truthNode, ...sides.map((each) => each.node)));
  el.append(root);

  function draw(content, buffers) {
    view = content;
    paint(truth, buffers[0], 1);
    drawTruth(image, view, spec.grid, truth);
    link.checked = view.linked;
    sides.forEach((each, i) => {
      const shown = view.sides[i];
      each.grid = shown.grid ?? each.grid;
      drawPlane(each.plane, shown, each.grid, span, view.encoded);
      paint(each.picture, buffers[1 + i], each.side.channels);
      each.picture.setAttribute("aria-label", `Picture decoded by ${shown.text}`);
      each.axes.forEach((select, axis) => { select.value = shown.axes[axis]; });
      for (const { latent, input, value } of each.sliders) {
        if (document.activeElement !== input || Math.abs(input.value - shown.z[latent]) > 0.006) input.value = shown.z[latent];
        value.textContent = shown.z[latent].toFixed(2).replace("-", "−");
      }
    });
    status.textContent = view.sides.map((shown) => shown.text).join(". ") + ".";
  }

  async function keep(text) {
    kept.hidden = false;
    kept.textContent = text;
    const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    status.textContent = copied ? "Copied." : "Select the lines below to copy them.";
  }

  function save({ name, mime }, bytes) {
    const url = URL.createObjectURL(new Blob([bytes], { type: mime }));
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    status.textContent = `Saved ${name}.`;
  }

  function receive(content, buffers) {
    const arrived = performance.now();
    status.classList.toggle("error", content.type === "error");
    if (content.type === "view") draw(content, buffers);
    else if (content.type === "code") keep(content.text);
    else if (content.type === "file") save(content, buffers[0]);
    else status.textContent = content.text;
    line.answered();
    root.dispatchEvent(new CustomEvent("answered", { detail: { ...content, arrived } })); // for those who measure
  }
  model.on("msg:custom", receive);
  line.send({ type: "hello" });
  return () => model.off("msg:custom", receive);
}

export default { render };
