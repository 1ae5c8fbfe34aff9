// Networks in workers of their own: what one draws, no other waits for.

// One model; a decoder may come in strips, each of which draws some rows of the image.
export class RemoteNetwork {
  // program: the runtime's
  // files: { encoder, decoder }, the content of an ONNX file, and of one for each strip
  //   shape: of an image, [C, H, W]
  static async load(program, { encoder, decoder }, shape) {
    const network = new RemoteNetwork();
    network.channels = shape[0];
    network.runners = decoder.map(() => new Runner());
    const loading = network.runners.map((runner, i) => {
      const parts = i === 0 ? { encoder, decoder: decoder[i] } : { decoder: decoder[i] };
      return runner.ask("load", program, parts, shape);
    });
    await Promise.all(loading);
    return network;
  }

  encode(images) {
    return this.runners[0].ask("encode", images);
  }

  async decode(codes) {
    const strips = await Promise.all(this.runners.map((runner) => runner.ask("decode", codes)));
    return joinStrips(strips, this.channels);
  }
}

// A worker that answers in the order in which it is asked.
class Runner {
  constructor() {
    this.asked = [];
    this.worker = new Worker(new URL("./runner.js", import.meta.url), { type: "module" });
    this.worker.addEventListener("message", ({ data: { answer, failed } }) => {
      const { done, fail } = this.asked.shift();
      if (failed === undefined) done(answer);
      else fail(new Error(failed));
    });
    this.worker.addEventListener("error", () => {
      const lost = new Error("what runs the networks cannot be loaded");
      for (const { fail } of this.asked.splice(0)) fail(lost);
    });
  }

  ask(wish, ...given) {
    return new Promise((done, fail) => {
      this.asked.push({ done, fail });
      this.worker.postMessage({ wish, given });
    });
  }
}

// Images, of the strips of all of them, the uppermost first.
export function joinStrips(strips, channels) {
  return strips[0].map((_, i) => {
    const parts = strips.map((images) => images[i]);
    return stack(parts, channels);
  });
}

// One image [C, H, W] of strips [C, h, W], the uppermost first.
function stack(strips, channels) {
  if (strips.length === 1) return strips[0];
  const parts = Array.from({ length: channels }, (_, channel) =>
    strips.map((strip) => {
      const size = strip.length / channels;
      return strip.subarray(channel * size, (channel + 1) * size);
    }),
  ).flat();
  const image = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let start = 0;
  for (const part of parts) {
    image.set(part, start);
    start += part.length;
  }
  return image;
}
