// The latent explorer without its face and without Python: core.py and side.py once more. What
// those find out by encoding (the grid, the axes, the scale) comes as facts; see
// tools/book/networks.py.

import { Generator } from "./noise.js";
import { describePicture } from "./spots.js";
import { clamp, drawSprite, hsvToRgb } from "./sprites.js";

// What an event's fields must be; the types are those of events.py.
const EVENTS = {
  latent: { model: "name", x: "number", y: "number" },
  slider: { model: "name", latent: "integer", value: "number" },
  image: { x: "number", y: "number" },
  factor: { name: "text", value: "number" },
  walk: { share: "number" },
  axes: { model: "name", x: "integer", y: "integer" },
  link: { value: "truth" },
  reset: {},
  clear: {},
  prior: {},
  posterior: {},
};
const KINDS = {
  name: (value) => typeof value === "string" || Number.isInteger(value),
  text: (value) => typeof value === "string",
  number: Number.isFinite,
  integer: Number.isInteger,
  list: (value) => Array.isArray(value) && value.every(Number.isInteger),
  truth: (value) => typeof value === "boolean",
};

// An event that cannot be done; nothing has changed.
export class RefusedError extends Error {}

export function check(fields, given) {
  const { type, ...values } = given;
  const names = Object.keys(values);
  if (names.length !== Object.keys(fields).length || !names.every((name) => name in fields)) {
    const takes = Object.keys(fields).join(", ") || "nothing more";
    throw new RefusedError(
      `the event ${JSON.stringify(given)} does not have what it takes: ${takes}`,
    );
  }
  for (const [name, kind] of Object.entries(fields)) {
    if (KINDS[kind](values[name])) continue;
    throw new RefusedError(`${name} is ${JSON.stringify(values[name])}; it must be a ${kind}`);
  }
}

// One model, and the code in its hand.
class Side {
  constructor(facts, spec, network) {
    Object.assign(this, { spec, network, ...facts });
    this.imSize = spec.im_size;
    this.axes = [...facts.pair];
    this.trail = []; // the codes of the circle's last positions
    this.z = new Float32Array(facts.middle);
  }

  // Take the posterior of the last of some circles, and decode its mean; gives the means of all.
  async encode(images) {
    const { means, logvars } = await this.network.encode(images);
    this.mean = means.at(-1);
    this.std = logvars.at(-1).map((logvar) => Math.exp(logvar / 2));
    await this.move(this.mean);
    return means;
  }

  async move(z) {
    this.z = Float32Array.from(z);
    const [image] = await this.network.decode([this.z]);
    this.picture = this.toPicture(image);
  }

  async set(values) {
    const z = Float32Array.from(this.z);
    for (const [latent, value] of values) z[latent] = value;
    await this.move(z);
  }

  toPicture(image) {
    return toBytes(image, this.channels, this.scale);
  }

  // Small pictures across the plane: what the places of one row decode to.
  async fieldRow(row, span) {
    const [count, size] = this.spec.field;
    const place = (i) => span * ((2 * (i + 0.5)) / count - 1);
    const codes = Array.from({ length: count }, (_, i) => {
      const z = Float32Array.from(this.middle);
      z[this.axes[0]] = place(i);
      z[this.axes[1]] = -place(row);
      return z;
    });
    const images = await this.network.decode(codes);
    const small = images.map((image) => this.toPicture(shrink(image, this.imSize, size)));
    const bytes = new Uint8Array(count * small[0].length);
    small.forEach((picture, i) => {
      bytes.set(picture, i * picture.length);
    });
    return bytes;
  }

  // Pictures of latents going to and fro, one after another, all else as it is.
  async film(latents, span, steps) {
    const pictures = [];
    for (const latent of latents) {
      const there = [];
      for (let i = 0; i < steps; i++) {
        const z = Float32Array.from(this.z);
        z[latent] = span * ((2 * i) / (steps - 1) - 1);
        const [image] = await this.network.decode([z]);
        there.push(this.toPicture(image));
      }
      pictures.push(...there, ...there.slice(1, -1).reverse());
    }
    return pictures;
  }

  // In all informative latents, or in all where none informs.
  trailLengths() {
    const { informative } = this;
    const counted = informative.length ? informative : this.middle.map((_, i) => i);
    return findLengths(this.trail.map((z) => counted.map((latent) => z[latent])));
  }
}

// Grey bytes [H, H], or [H, H, 3] from an image [3, H, H].
//   scale: the values that are shown black and white
export function toBytes(image, channels, [black, white] = [0, 1]) {
  const pixels = image.length / channels;
  const bytes = new Uint8Array(image.length);
  for (let i = 0; i < image.length; i++) {
    const value = image[(i % channels) * pixels + Math.floor(i / channels)];
    bytes[i] = Math.round(255 * clamp((value - black) / (white - black), 0, 1));
  }
  return bytes;
}

// Means over blocks of pixels.
function shrink(image, from, to) {
  const block = from / to;
  const channels = image.length / (from * from);
  const small = new Float32Array(channels * to * to);
  for (let i = 0; i < image.length; i++) {
    const [row, column] = [Math.floor(i / from), i % from]; // all channels' rows, one below another
    small[Math.floor(row / block) * to + Math.floor(column / block)] += image[i] / block ** 2;
  }
  return small;
}

// Length of the path through points, and of the straight line between its ends.
export function findLengths(points) {
  if (points.length < 2) return [0, 0];
  const distance = (a, b) => Math.hypot(...a.map((value, i) => value - b[i]));
  let length = 0;
  for (let i = 1; i < points.length; i++) length += distance(points[i], points[i - 1]);
  return [length, distance(points.at(-1), points[0])];
}

export class Explorer {
  // networks: for each side, { encode(images), decode(codes) }; both give promises
  constructor(facts, networks) {
    Object.assign(this, { facts, spec: facts.spec });
    this.imSize = this.spec.im_size;
    this.span = this.spec.span;
    this.sides = new Map(
      facts.sides.map((side, i) => [side.name, new Side(side, this.spec, networks[i])]),
    );
  }

  // The image [C, H, H] at a place, with the other factors as they are.
  draw([x, y]) {
    const { form, fixed, scale } = this.facts.world;
    const [across, down] = this.spec.axes;
    const factors = { ...fixed, ...this.others, [across.name]: x, [down.name]: y };
    const cover = drawSprite(form, { ...factors, size: scale * factors.size }, this.imSize);
    if (this.spec.channels === 1) return cover;
    const color = hsvToRgb(factors);
    return Float32Array.from({ length: color.length * cover.length }, (_, i) => {
      return color[Math.floor(i / cover.length)] * cover[i % cover.length];
    });
  }

  async handle(event) {
    const fields = Object.hasOwn(EVENTS, event.type) && EVENTS[event.type];
    if (!fields) {
      const known = Object.keys(EVENTS).join(", ");
      throw new RefusedError(`type is ${JSON.stringify(event.type)}; it must be one of ${known}`);
    }
    check(fields, event);
    await this[event.type](event);
  }

  // What events do

  async latent({ model, x, y }) {
    const chosen = this.side(model);
    const moved = this.linked ? [...this.sides.values()] : [chosen];
    await together(moved, (side) => {
      const [right, up] = side.axes;
      return side.set([
        [right, this.clip(x)],
        [up, this.clip(y)],
      ]);
    });
    this.encoded = false;
  }

  async slider({ model, latent, value }) {
    const side = this.side(model);
    checkLatent(side, "latent", latent);
    await side.set([[latent, this.clip(value)]]);
    this.encoded = false;
  }

  async image({ x, y }) {
    const [across, down] = this.spec.axes;
    const end = [clamp(x, across.low, across.high), clamp(y, down.low, down.high)];
    const way = this.path.length ? this.wayBetween(this.circle, end) : [];
    const places = [...way, end];
    const images = places.map((place) => this.draw(place));
    await together(this.sides.values(), async (side) => {
      const means = await side.encode(images);
      side.trail = [...side.trail, ...means].slice(-this.facts.trail);
    });
    this.circle = end;
    this.picture = images.at(-1);
    this.path = [...this.path, ...places].slice(-this.facts.trail);
    this.encoded = true;
  }

  async factor({ name, value }) {
    const factor = this.spec.factors.find((one) => one.name === name);
    if (!factor) {
      const listed = this.spec.factors.map((one) => one.name).join(", ") || "none";
      const known = `factors that can be set are ${listed}`;
      throw new RefusedError(`name is ${JSON.stringify(name)}; ${known}`);
    }
    this.setOthers({ ...this.others, [name]: clamp(value, factor.low, factor.high) });
    this.picture = this.draw(this.circle);
    await together(this.sides.values(), (side) => side.encode([this.picture]));
    this.encoded = true;
  }

  setOthers(others) {
    this.others = others;
    this.goalPicture = this.draw(this.spec.goal);
    for (const side of this.sides.values()) side.walkEnds = null;
  }

  async walk({ share }) {
    const part = clamp(share, 0, 1);
    await together(this.sides.values(), async (side) => {
      const [start, end] = await this.findWalkEnds(side);
      return side.move(start.map((value, i) => value + part * (end[i] - value)));
    });
    this.encoded = false;
  }

  axes({ model, x, y }) {
    const side = this.side(model);
    checkLatent(side, "x", x);
    checkLatent(side, "y", y);
    if (x === y) {
      throw new RefusedError(`x and y are both ${x}; a plane needs two different latents`);
    }
    side.axes = [x, y];
  }

  link({ value }) {
    this.linked = value;
  }

  clear() {
    this.path = [];
    for (const side of this.sides.values()) side.trail = [];
  }

  async reset() {
    this.linked = true;
    this.generator = new Generator(this.facts.seed);
    this.clear();
    this.setOthers(this.facts.world.middle);
    for (const side of this.sides.values()) side.axes = [...side.pair];
    const [x, y] = this.spec.axes.map(({ middle }) => middle);
    await this.image({ x, y });
  }

  async prior() {
    await together(this.sides.values(), (side) =>
      side.move(this.noise(side).map((value) => this.clip(value))),
    );
    this.encoded = false;
  }

  async posterior() {
    await together(this.sides.values(), (side) => {
      const { mean, std } = side;
      return side.move(this.noise(side).map((value, i) => mean[i] + std[i] * value));
    });
    this.encoded = true;
  }

  // What a page asks

  state() {
    const sides = [...this.sides.values()].map((side) => [
      side.name,
      {
        axes: side.axes,
        z: [...side.z],
        mean: [...side.mean],
        std: [...side.std],
        picture: [...side.picture],
        trail: side.trail.map((z) => [...z]),
      },
    ]);
    const { circle, encoded: shown, linked, path } = this;
    const others = Object.values(this.others);
    return { circle, others, shown, linked, path, sides: Object.fromEntries(sides) };
  }

  // The codes as lines of Python that run as they are.
  code() {
    const rows = [...this.sides.values()].map((side) => {
      const numbers = Array.from(side.z, (value) => {
        const text = value.toFixed(4);
        return Number(text) === 0 ? text.replace("-", "") : text;
      });
      return `    '${side.name}': torch.tensor([${numbers.join(", ")}]),`;
    });
    return ["import torch", "", "z = {", ...rows, "}"].join("\n");
  }

  // Pictures of a model's latents going to and fro.
  film({ model, latents }) {
    const side = this.side(model);
    for (const latent of latents) checkLatent(side, "latent", latent);
    if (!latents.length || new Set(latents).size < latents.length) {
      const wanted = "name one or more, each once";
      throw new RefusedError(`latents is ${JSON.stringify(latents)}; ${wanted}`);
    }
    return side.film(latents, this.spec.traversal_span, this.facts.film.steps);
  }

  describe({ name, picture, channels }) {
    return `${name}: ${describePicture(picture, this.imSize, channels, this.facts.words)}`;
  }

  // The light that a model's picture and the goal have both, over the light that either has.
  overlap({ picture, channels }) {
    const { goalPicture: goal, imSize, spec } = this;
    let [both, either] = [0, 0];
    picture.forEach((byte, i) => {
      const channel = (i % channels) % spec.channels;
      const wanted = goal[channel * imSize ** 2 + Math.floor(i / channels)];
      const light = byte / 255;
      both += Math.min(light, wanted);
      either += Math.max(light, wanted);
    });
    return both / either;
  }

  // Parts

  side(model) {
    if (this.sides.has(model)) return this.sides.get(model);
    const known = [...this.sides.keys()].join(", ");
    throw new RefusedError(`model is ${JSON.stringify(model)}; it must be one of ${known}`);
  }

  clip(value) {
    return clamp(value, -this.span, this.span);
  }

  // The codes between which one walks, with the other factors as they are.
  async findWalkEnds(side) {
    if (!side.walkEnds) {
      const place = (share) => this.spec.axes.map(({ low, high }) => low + share * (high - low));
      const images = this.facts.walk.map((share) => this.draw(place(share)));
      const { means } = await side.network.encode(images);
      side.walkEnds = means;
    }
    return side.walkEnds;
  }

  noise(side) {
    return Float32Array.from(side.middle, () => this.generator.normal());
  }

  // Places on the straight way, the ends apart, with no step above way_step pixels.
  wayBetween([x0, y0], [x1, y1]) {
    const pieces = Math.max(Math.ceil(Math.hypot(x1 - x0, y1 - y0) / this.facts.way_step), 1);
    return Array.from({ length: pieces - 1 }, (_, i) => {
      const share = (i + 1) / pieces;
      return [x0 + share * (x1 - x0), y0 + share * (y1 - y0)];
    });
  }
}

// Have several sides do what takes time; their networks work side by side.
function together(sides, act) {
  return Promise.all(Array.from(sides, act));
}

function checkLatent(side, name, latent) {
  if (latent >= 0 && latent < side.middle.length) return;
  const wanted = `this model's latents are 0 ... ${side.middle.length - 1}`;
  throw new RefusedError(`${name} is ${latent}; ${wanted}`);
}
