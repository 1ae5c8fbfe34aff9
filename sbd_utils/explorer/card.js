// Decoders on the graphics card, by WebGPU, where a browser offers one and it is worth it.

import { Network } from "./network.js";
import { joinStrips } from "./remote.js";

const RUNTIME = new URL("./ort/", import.meta.url);
const ERRORS = 3; // what the runtime says on the console: no warnings
const TOLERANCE = 1e-3; // by how much a pixel may differ from WebAssembly's
const HOPELESS = 10; // so many times WebAssembly's time, and no more pictures are waited for

// The browser's graphics card.
export class Card {
  // Throws an Error that says why there is none.
  //   isAccepted(info): whether an adapter counts; a program that does what a card does, does not
  static async open(isAccepted = ({ isFallbackAdapter }) => !isFallbackAdapter) {
    const adapter = await navigator.gpu?.requestAdapter();
    if (!adapter || !isAccepted(adapter.info)) {
      throw new Error("this browser offers no graphics card");
    }
    if (!("Suspending" in WebAssembly)) {
      throw new Error("this browser's WebAssembly cannot wait for a graphics card");
    }
    const runtime = await import("./ort/ort.jspi.min.mjs");
    runtime.env.wasm.numThreads = 1;
    runtime.env.wasm.wasmPaths = RUNTIME.href;
    return new Card(runtime, await adapter.requestDevice());
  }

  constructor(runtime, device) {
    Object.assign(this, { runtime, device });
    this.lost = device.lost.then(() => {
      throw new Error("the graphics card was lost");
    });
    this.lost.catch(() => {}); // whoever draws is told
    this.last = Promise.resolve();
  }

  // The runtime does one thing at a time, and with a lost card it might never be done.
  do(work) {
    const done = this.last.then(() => Promise.race([this.lost, work()]));
    this.last = done.catch(() => {});
    return done;
  }

  // A decoder, from the content of an ONNX file for each of its strips.
  async load(files, channels) {
    const options = {
      executionProviders: [{ name: "webgpu", device: this.device }],
      logSeverityLevel: ERRORS,
    };
    const strips = [];
    for (const decoder of files) {
      const load = () => Network.load({ decoder }, null, this.runtime, options);
      strips.push(await this.do(load));
    }
    const draw = (codes) => strips.map((strip) => this.do(() => strip.decode(codes)));
    return { decode: async (codes) => joinStrips(await Promise.all(draw(codes)), channels) };
  }
}

// A network, in whose place a rival decodes once that is known to be as right, and faster.
export class Contest {
  // network: { encode(images), decode(codes) }
  //   tell(text): what decodes from now on, and why
  constructor(network, tell) {
    Object.assign(this, { network, tell, rival: null });
  }

  encode(images) {
    return this.network.encode(images);
  }

  async decode(codes) {
    if (this.rival) {
      try {
        return await this.rival.decode(codes);
      } catch (error) {
        this.stay(error);
      }
    }
    return this.network.decode(codes);
  }

  // Both decode these codes, one after another.
  //   open(): a promise of the rival, { decode(codes) }
  //   alone(work): has work done while nothing else is drawn
  async hold(open, codes, alone) {
    try {
      const rival = await open();
      await rival.decode([codes[0]]); // what is drawn first takes longer
      const times = { here: [], there: [] };
      for (const code of codes) {
        await alone(async () => {
          const wanted = await time(this.network, code, times.here);
          const image = await time(rival, code, times.there);
          check(image, wanted);
        });
        if (times.there.at(-1) > HOPELESS * times.here.at(-1)) break;
      }
      this.decide(rival, middle(times.there), middle(times.here));
    } catch (error) {
      this.stay(error);
    }
  }

  decide(rival, there, here) {
    const [card, processor] = [there, here].map((milliseconds) => `${milliseconds.toFixed(1)} ms`);
    if (!(there < here)) throw new Error(`${processor}, where the graphics card takes ${card}`);
    this.rival = rival;
    this.tell(`by the graphics card: ${card}, where WebAssembly takes ${processor}`);
  }

  stay({ message }) {
    this.rival = null;
    this.tell(`by WebAssembly: ${message}`);
  }
}

async function time(network, code, times) {
  const start = performance.now();
  const [image] = await network.decode([code]);
  times.push(performance.now() - start);
  return image;
}

function check(image, wanted) {
  const off = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - image[i])), 0);
  if (off <= TOLERANCE) return; // which what is no number is not
  throw new Error(`the graphics card draws something else, a pixel differs by ${off.toFixed(3)}`);
}

function middle(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
