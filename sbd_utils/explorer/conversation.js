// What the page asks, and what it is answered, without Python: messages.py once more.

import { check, findLengths, RefusedError, toBytes } from "./core.js";
import { encodeFilm } from "./film.js";

const GAP_COLOR = "rgb(128 128 128)"; // between two pictures
const WITH_GRID = ["hello", "axes", "reset"]; // messages whose answer holds the encoded grid
const FIELD = { model: "name", row: "integer" };
const FILM = { model: "name", latents: "list" };

// Answers to messages, one after another.
export class Conversation {
  constructor(core) {
    this.core = core;
    this.last = Promise.resolve();
    this.done = new Map(); // by page, the number of its last event
  }

  // A promise of { content, buffers }.
  respond(message) {
    return this.between(() => this.answer(message));
  }

  // Have something done between two answers.
  between(work) {
    const done = this.last.then(work);
    this.last = done.catch(() => {}); // what waits is done all the same
    return done;
  }

  async answer({ stamp, page, number, ...event }) {
    const start = performance.now();
    let answer;
    try {
      answer = await this.choose(event, page, number);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      answer = { content: { type: "error", text: error.message }, buffers: [] };
    }
    const kernel = performance.now() - start;
    Object.assign(answer.content, { stamp, page, number, kernel, core: kernel });
    return answer;
  }

  async choose(event, page, number) {
    const wishes = this.wishes();
    if (Object.hasOwn(wishes, event.type)) return wishes[event.type](event);
    const isDone = number !== undefined && number <= this.done.get(page);
    if (event.type !== "hello" && !isDone) {
      await this.core.handle(event);
      this.done.set(page, number);
    }
    return this.view(isDone ? { type: "hello" } : event);
  }

  // What is answered without a change, by the type that asks for it.
  wishes() {
    return {
      code: () => this.code(),
      png: () => this.png(),
      gif: (event) => this.gif(event),
      field: (event) => this.field(event),
    };
  }

  code() {
    return { content: { type: "code", text: this.core.code() }, buffers: [] };
  }

  // The models' pictures side by side with a grey line between them.
  async png() {
    const { imSize: size, sides, facts } = this.core;
    const { scale } = facts.film;
    const sheet = new OffscreenCanvas(sides.size * (size + 1) * scale - scale, size * scale);
    const context = sheet.getContext("2d");
    context.fillStyle = GAP_COLOR;
    context.fillRect(0, 0, sheet.width, sheet.height);
    context.imageSmoothingEnabled = false;
    [...sides.values()].forEach(({ picture, channels }, i) => {
      const small = new OffscreenCanvas(size, size);
      small.getContext("2d").putImageData(makeImage(picture, channels, size), 0, 0);
      context.drawImage(small, i * (size + 1) * scale, 0, size * scale, size * scale);
    });
    const file = await sheet.convertToBlob({ type: "image/png" });
    return answerFile([...sides.keys()], "png", new Uint8Array(await file.arrayBuffer()));
  }

  // Latents going to and fro.
  async gif(wish) {
    check(FILM, wish);
    const { imSize: size, facts } = this.core;
    const { channels } = this.core.side(wish.model);
    const pictures = await this.core.film(wish);
    const film = encodeFilm(pictures, size, { ...facts.film, channels });
    const names = [wish.model, ...wish.latents.map((latent) => `z${latent}`)];
    return answerFile(names, "gif", film);
  }

  // A row of the small pictures behind a plane.
  async field(wish) {
    check(FIELD, wish);
    const { core } = this;
    const side = core.side(wish.model);
    const [rows] = core.spec.field;
    if (wish.row < 0 || wish.row >= rows) {
      throw new RefusedError(`row is ${wish.row}; rows are 0 ... ${rows - 1}`);
    }
    const bytes = await side.fieldRow(wish.row, core.span);
    const content = { type: "field", model: wish.model, row: wish.row, axes: [...side.axes] };
    return { content, buffers: [bytes] };
  }

  view({ type }) {
    const { core } = this;
    const sides = [...core.sides.values()];
    const content = {
      type: "view",
      circle: core.circle,
      factors: core.spec.factors.map(({ name }) => core.others[name]),
      encoded: core.encoded,
      linked: core.linked,
      path: core.path,
      lengths: findLengths(core.path),
      sides: sides.map((side) => viewSide(core, side, WITH_GRID.includes(type))),
    };
    const truth = toBytes(core.picture, core.spec.channels);
    return { content, buffers: [truth, ...sides.map((side) => Uint8Array.from(side.picture))] };
  }
}

function viewSide(core, side, withGrid) {
  const { axes } = side;
  const inPlane = (z) => axes.map((latent) => z[latent]);
  const view = {
    axes: [...axes],
    z: [...side.z],
    mean: [...side.mean],
    std: inPlane(side.std),
    trail: side.trail.map(inPlane),
    lengths: side.trailLengths(),
    overlap: core.overlap(side),
    text: core.describe(side),
  };
  if (withGrid) view.grid = side.grid.map((line) => line.map(inPlane));
  return view;
}

// A file whose name every system takes, such as "SBD-z3.gif".
function answerFile(names, kind, bytes) {
  const words = names.map((name) => `${name}`.replace(/[^\w.]+/g, "_"));
  const content = { type: "file", name: `${words.join("-")}.${kind}`, mime: `image/${kind}` };
  return { content, buffers: [bytes] };
}

function makeImage(bytes, channels, size) {
  const image = new ImageData(size, size);
  image.data.fill(255);
  for (let i = 0; i < size * size; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = bytes[channels * i + (c % channels)];
  }
  return image;
}
