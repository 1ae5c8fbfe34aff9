// What a RemoteNetwork asks is done here, one thing after another.

import { Network, useRuntime } from "./network.js";

let network = null;
let last = Promise.resolve();

const WISHES = {
  async load(program, files, shape) {
    useRuntime(program);
    network = await Network.load(files, shape);
  },
  encode: (images) => network.encode(images),
  decode: (codes) => network.decode(codes),
};

self.addEventListener("message", ({ data: { wish, given } }) => {
  last = last.then(async () => {
    try {
      self.postMessage({ answer: await WISHES[wish](...given) });
    } catch (error) {
      self.postMessage({ failed: `${error?.message ?? error}` });
    }
  });
});
