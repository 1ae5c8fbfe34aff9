// Two small figures of the book: a sprite under its sliders, and the decoder that is set by hand.

import { make, numeral, paint } from "./pads.js";
import { clamp, drawSprite } from "./sprites.js";

const STEP = 1 / 255; // a pixel that differs by less has not changed

// A sprite: its factors, its picture, and how many pixels the last move has changed.
//   facts: shapes with their forms, colors, ranges, choices, and the size of the image; see
//     tools/book/figures.py
export function showSprite(root, facts) {
  const canvas = makeCanvas(facts.im_size);
  const words = make("p", { role: "status", "aria-live": "polite" });
  let last = new Float32Array(3 * facts.im_size ** 2); // black, before the first
  const draw = (chosen) => {
    const image = drawColored(facts, chosen);
    const count = countChanges(last, image);
    const { shape, color, x, y, size, angle } = chosen;
    const place = `x ${x}, y ${y}, size ${size}, turned by ${angle}°`;
    const text = `${shape}, ${color}, at ${place}`;
    show(canvas, image, 3, text);
    const all = (facts.im_size ** 2).toLocaleString("en");
    words.textContent = `${text}: ${count} of ${all} pixels changed`;
    last = image;
  };
  const ranges = Object.entries(facts.ranges).map(([name, range]) => ({ name, ...range }));
  root.append(makeFigure(canvas, makeControls(ranges, facts.choices, draw)), words);
}

// A sprite on black, [H, H, 3] in [0, 1].
export function drawColored(facts, { shape, color, ...place }) {
  const cover = drawSprite(facts.shapes[shape], place, facts.im_size);
  return Float32Array.from({ length: 3 * cover.length }, (_, i) => {
    return (facts.colors[color][i % 3] / 255) * cover[Math.floor(i / 3)];
  });
}

// In how many pixels of two images [H, H, 3] any color differs.
function countChanges(before, after) {
  let count = 0;
  for (let i = 0; i < after.length; i += 3) {
    const differs = (c) => Math.abs(after[i + c] - before[i + c]) >= STEP;
    if (differs(0) || differs(1) || differs(2)) count++;
  }
  return count;
}

// A diamond by the decoder whose weights are set by hand.
//   facts: its weights, the size of the image, and the range of its two latents
export function showDiamond(root, facts) {
  const canvas = makeCanvas(facts.im_size);
  const draw = (chosen) => {
    const z = [chosen["z1 (x)"], chosen["z2 (y)"]];
    show(
      canvas,
      decodeByHand(facts, z),
      1,
      `A diamond at z1 ${numeral(z[0], 2)}, z2 ${numeral(z[1], 2)}`,
    );
  };
  const ranges = ["z1 (x)", "z2 (y)"].map((name) => ({ name, text: name, ...facts.range }));
  root.append(makeFigure(canvas, makeControls(ranges, {}, draw)));
}

// The image [H * H] in [0, 1]: at every pixel (z1, z2, x, y), four ramps, and their weighted sum.
export function decodeByHand({ first, second, bias, im_size: size }, z) {
  const coordinate = (i) => (2 * i) / (size - 1) - 1;
  const image = new Float32Array(size * size);
  for (let i = 0; i < image.length; i++) {
    const input = [...z, coordinate(i % size), coordinate(Math.floor(i / size))];
    const ramps = first.map((weights) => Math.max(dot(weights, input), 0));
    image[i] = clamp(dot(second, ramps) + bias, 0, 1);
  }
  return image;
}

function dot(a, b) {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

// Parts of both

function makeCanvas(size) {
  return make("canvas", { width: size, height: size, class: "picture", role: "img" });
}

function show(canvas, image, channels, text) {
  const bytes = Uint8Array.from(image, (value) => Math.round(255 * value));
  paint(canvas, new DataView(bytes.buffer), channels);
  canvas.setAttribute("aria-label", text);
}

function makeFigure(canvas, controls) {
  return make("div", { class: "panels" }, canvas, make("div", { class: "controls" }, ...controls));
}

// Sliders and selections; `draw` gets what they all say, at first and whenever one moves.
function makeControls(ranges, choices, draw) {
  const chosen = {};
  const rows = ranges.map(({ name, text, min, max, value, step }) => {
    chosen[name] = value;
    const output = make("output", { "aria-hidden": true }, `${value}`); // the slider tells it
    const input = make("input", { type: "range", min, max, step, value, "aria-label": text });
    input.addEventListener("input", () => {
      chosen[name] = Number(input.value);
      output.textContent = input.value.replace("-", "−");
      draw(chosen);
    });
    return make("div", { class: "row" }, make("span", {}, text), input, output);
  });
  for (const [name, { options, value, text }] of Object.entries(choices)) {
    chosen[name] = value;
    const parts = options.map((option) => make("option", {}, option));
    const select = make("select", { "aria-label": text }, ...parts);
    select.value = value;
    select.addEventListener("change", () => {
      chosen[name] = select.value;
      draw(chosen);
    });
    rows.push(make("div", { class: "row" }, make("span", {}, text), select));
  }
  draw(chosen);
  return rows;
}
