// Encoders and decoders that run in the browser, by onnxruntime-web.

import * as ort from "./ort/ort.wasm.min.mjs";

const RUNTIME = new URL("./ort/", import.meta.url).href;

// Make the runtime ready; its program has been loaded.
export function useRuntime(program) {
  ort.env.wasm.numThreads = 1; // more would need headers that plain servers do not send
  ort.env.wasm.wasmPaths = RUNTIME;
  ort.env.wasm.wasmBinary = program;
}

// One model, or a part of it.
export class Network {
  // files: { encoder, decoder } or one of them, the content of ONNX files
  //   shape: of an image, [C, H, W]
  //   runtime, options: another build of it, and what its sessions are to be
  static async load(files, shape, runtime = ort, options = {}) {
    const network = new Network();
    Object.assign(network, { shape, runtime });
    for (const [part, content] of Object.entries(files)) {
      network[part] = await runtime.InferenceSession.create(new Uint8Array(content), options);
    }
    return network;
  }

  // Images [C * H * W], or grey ones [H * W]: all channels get the same.
  async encode(images) {
    const size = this.shape.reduce((product, length) => product * length);
    const pixels = images.flatMap((image) => Array(size / image.length).fill(image));
    const x = new this.runtime.Tensor("float32", join(pixels), [images.length, ...this.shape]);
    const { mean, logvar } = await this.encoder.run({ x });
    return { means: split(mean), logvars: split(logvar) };
  }

  // Codes [z_dim]; gives images [C * H * W], of fewer rows if this is a strip.
  async decode(codes) {
    const z = new this.runtime.Tensor("float32", join(codes), [codes.length, codes[0].length]);
    const { image } = await this.decoder.run({ z });
    return split(image);
  }
}

function join(parts) {
  if (parts.length === 1) return Float32Array.from(parts[0]);
  const all = new Float32Array(parts.length * parts[0].length);
  parts.forEach((part, i) => {
    all.set(part, i * part.length);
  });
  return all;
}

function split({ data, dims: [count] }) {
  const size = data.length / count;
  return Array.from({ length: count }, (_, i) => data.slice(i * size, (i + 1) * size));
}
