// A scene in hand without its face and without Python: scene.py, directions.py and
// scene_messages.py once more. The scenes' codes come as facts, so no encoder is needed; see
// tools/book/scene.py.

import { Conversation } from "./conversation.js";
import { check, RefusedError } from "./core.js";
import { clamp } from "./sprites.js";

// What an event's fields must be; the types are those of scene.py.
const EVENTS = {
  scene: { scene: "integer" },
  choose: { slot: "integer" },
  place: { slot: "integer", x: "number", y: "number" },
  hue: { slot: "integer", degrees: "number" },
  latent: { slot: "integer", latent: "integer", value: "number" },
  show: { slot: "integer", value: "truth" },
  reset: {},
};

export class SceneInHand {
  // facts: see tools/book/scene.py
  //   pictures: the scenes' bytes, one after another
  //   network: draws of each code a slot's red, green and blue, and the logit of its mask
  constructor(facts, pictures, network) {
    Object.assign(this, { facts, pictures, network, ...facts.spec });
    this.size = this.im_size ** 2;
    this.index = 0;
  }

  async handle(event) {
    if (!Object.hasOwn(EVENTS, event?.type)) {
      const known = Object.keys(EVENTS).join(", ");
      throw new RefusedError(`type is ${JSON.stringify(event?.type)}; it must be one of ${known}`);
    }
    check(EVENTS[event.type], event);
    await this[event.type](event);
  }

  // What events do

  async scene({ scene: index }) {
    checkBelow("scene", index, this.scenes);
    this.index = index;
    await this.reset();
  }

  async reset() {
    const { codes, ground, objects, twins } = this.facts.scenes[this.index];
    const found = new Map(twins);
    Object.assign(this, { ground, objects, twins: found, codes: codes.map((code) => [...code]) });
    this.shown = codes.map((_, slot) => !found.has(slot));
    this.slot = objects.length ? objects[0] : ground;
    await this.draw();
  }

  choose({ slot }) {
    checkBelow("slot", slot, this.slots);
    this.slot = slot;
  }

  async place({ slot, x, y }) {
    this.checkObject(slot);
    const [low, high] = this.reach;
    await this.say(slot, 0, [clamp(x, low, high), clamp(y, low, high)]);
  }

  async hue({ slot, degrees }) {
    this.checkObject(slot);
    const angle = (degrees * Math.PI) / 180;
    await this.say(slot, 2, [Math.cos(angle), Math.sin(angle)]);
  }

  async latent({ slot, latent, value }) {
    checkBelow("slot", slot, this.slots);
    checkBelow("latent", latent, this.latents);
    const code = [...this.codes[slot]];
    code[latent] = clamp(value, -this.span, this.span);
    await this.set(slot, code);
  }

  async show({ slot, value }) {
    checkBelow("slot", slot, this.slots);
    const shown = replace(this.shown, slot, value);
    if (!shown.includes(true)) {
      throw new RefusedError(`slot ${slot} is the last that is shown; bring another back first`);
    }
    Object.assign(this, { slot, shown });
    await this.draw();
  }

  // Parts

  // What a code says: x, y, cosine and sine of the hue.
  read(code) {
    const { weights, offset } = this.facts.directions;
    return offset.map((start, i) => code.reduce((sum, z, j) => sum + z * weights[j][i], start));
  }

  // Move a code so that two of its readings, from this one on, are what is wanted.
  async say(slot, first, wanted) {
    const { moves } = this.facts.directions;
    const said = this.read(this.codes[slot]);
    const code = this.codes[slot].map((z, j) =>
      wanted.reduce((sum, value, i) => sum + (value - said[first + i]) * moves[first + i][j], z),
    );
    await this.set(slot, code);
  }

  async set(slot, code) {
    this.slot = slot;
    this.codes = replace(this.codes, slot, code);
    await this.draw();
  }

  // Only the slots that are shown share the pixels among them.
  async draw() {
    const { size } = this;
    const kept = this.shown.flatMap((isShown, slot) => (isShown ? [slot] : []));
    const layers = await this.network.decode(kept.map((slot) => this.codes[slot]));
    this.layers = new Map(kept.map((slot, i) => [slot, layers[i]])); // [4, H * W] each
    this.masks = new Map(kept.map((slot) => [slot, new Float32Array(size)]));
    this.picture = new Uint8Array(3 * size);
    this.winners = new Uint8Array(size);
    for (let pixel = 0; pixel < size; pixel++) this.blend(kept, pixel);
  }

  blend(kept, pixel) {
    const { size, layers, masks, picture, winners } = this;
    const logits = kept.map((slot) => layers.get(slot)[3 * size + pixel]);
    const highest = Math.max(...logits);
    const shares = logits.map((logit) => Math.exp(logit - highest));
    const total = shares.reduce((sum, share) => sum + share);
    winners[pixel] = kept[logits.indexOf(highest)];
    const color = [0, 0, 0];
    kept.forEach((slot, i) => {
      const share = shares[i] / total;
      masks.get(slot)[pixel] = share;
      for (let c = 0; c < 3; c++) color[c] += share * layers.get(slot)[c * size + pixel];
    });
    for (let c = 0; c < 3; c++) picture[3 * pixel + c] = Math.round(255 * clamp(color[c], 0, 1));
  }

  // Means over a slot's mask: x and y, red, green and blue, and the hue; null where it is little.
  measure(slot) {
    const { size, im_size: width } = this;
    const mask = this.masks.get(slot);
    const layer = this.layers.get(slot);
    const sums = [0, 0, 0, 0, 0];
    let total = 0;
    for (let pixel = 0; mask && pixel < size; pixel++) {
      const share = mask[pixel];
      total += share;
      sums[0] += share * ((pixel % width) + 0.5);
      sums[1] += share * (Math.floor(pixel / width) + 0.5);
      for (let c = 0; c < 3; c++) sums[2 + c] += share * layer[c * size + pixel];
    }
    if (total < 1) return { center: null, color: null, hue: null };
    const [x, y, ...colors] = sums.map((sum) => sum / total);
    const color = colors.map((value) => clamp(value, 0, 1));
    return { center: [x, y], color, hue: findHue(color, this.facts.grey) };
  }

  kind(slot) {
    if (slot === this.ground) return "ground";
    return this.objects.includes(slot) || this.twins.has(slot) ? "object" : "spare";
  }

  checkObject(slot) {
    if (this.objects.includes(slot) || this.twins.has(slot)) return;
    const movable = [...this.objects, ...this.twins.keys()].sort((a, b) => a - b);
    const listed = movable.join(", ") || "none";
    throw new RefusedError(`slot is ${slot}; slots that hold an object are ${listed}`);
  }
}

// What the page is told.
export class SceneConversation extends Conversation {
  wishes() {
    return {};
  }

  view() {
    const { core } = this;
    const start = 3 * core.size * core.index;
    const scene = core.pictures.slice(start, start + 3 * core.size);
    const slots = core.codes.map((_, slot) => viewSlot(core, slot));
    const content = { type: "view", scene: core.index, slot: core.slot, slots };
    return { content, buffers: [scene, core.picture.slice(), core.winners.slice()] };
  }
}

function viewSlot(core, slot) {
  const [x, y, cosine, sine] = core.read(core.codes[slot]);
  const turn = (Math.atan2(sine, cosine) * 180) / Math.PI;
  return {
    kind: core.kind(slot),
    twin: core.twins.get(slot) ?? null,
    shown: core.shown[slot],
    code: core.codes[slot],
    place: [x, y],
    turn: (turn + 360) % 360,
    ...core.measure(slot),
  };
}

// Degrees, or null where channels hardly differ.
function findHue(color, grey) {
  const [most, least] = [Math.max(...color), Math.min(...color)];
  const range = most - least;
  if (range < grey) return null;
  const [red, green, blue] = color.map((value) => (most - value) / range);
  if (color[0] === most) return (60 * (blue - green) + 360) % 360;
  return color[1] === most ? 60 * (2 + red - blue) : 60 * (4 + green - red);
}

function replace(list, index, value) {
  return list.map((each, i) => (i === index ? value : each));
}

function checkBelow(name, value, count) {
  if (value >= 0 && value < count) return;
  throw new RefusedError(`${name} is ${value}; it must be one of 0 to ${count - 1}`);
}
