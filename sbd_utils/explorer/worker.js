// A core in a page, beside the page: it draws while the page listens to the hand.

import { Card, Contest } from "./card.js";
import { Conversation } from "./conversation.js";
import { Explorer } from "./core.js";
import { Network, useRuntime } from "./network.js";
import { RemoteNetwork } from "./remote.js";
import { SceneConversation, SceneInHand } from "./scene_core.js";

const PROGRAM = "ort/ort-wasm-simd-threaded.wasm";

let conversation = null;

self.addEventListener("message", ({ data }) => (data.files ? begin(data) : answer(data.message)));

async function begin({ kind, files }) {
  try {
    self.postMessage({ spec: await CORES[kind](await load(files)) });
  } catch (error) {
    self.postMessage({ failed: `${error?.message ?? error}` });
  }
}

async function answer(message) {
  let { content, buffers } = { buffers: [] };
  try {
    ({ content, buffers } = await conversation.respond(message));
  } catch (error) {
    const { page, number } = message; // it waits for an answer
    content = {
      type: "error",
      text: `It cannot be drawn: ${error?.message ?? error}`,
      page,
      number,
    };
  }
  const owned = buffers.map((bytes) => bytes.buffer);
  self.postMessage({ content, buffers: owned }, owned);
}

// What a page shows begins with its files, and gives what the page must know.
const CORES = {
  explorer: (contents) => openExplorer(contents, "models"),
  squares: (contents) => openExplorer(contents, "squares"),
  scene: openScene,
};

async function openExplorer(contents, folder) {
  const program = contents.get(PROGRAM);
  const facts = read(contents, `${folder}/facts.json`);
  const loading = facts.sides.map(async ({ name, files, channels }) => {
    const encoder = contents.get(files.encoder);
    const decoder = files.decoder.map((path) => contents.get(path));
    const shape = [channels, facts.spec.im_size, facts.spec.im_size];
    const network = await RemoteNetwork.load(program, { encoder, decoder }, shape);
    return new Contest(network, (text) => self.postMessage({ drawn: { name, text } }));
  });
  const networks = await Promise.all(loading);
  const core = new Explorer(facts, networks);
  await core.handle({ type: "reset" });
  conversation = new Conversation(core);
  tryCard(networks, facts.sides, contents);
  return facts.spec;
}

// Let the graphics card draw what it draws well, one model after another.
async function tryCard(networks, sides, contents) {
  const card = Card.open();
  for (const [i, { files, channels, grid }] of sides.entries()) {
    const decoder = files.decoder.map((path) => contents.get(path));
    const open = async () => (await card).load(decoder, channels);
    const codes = grid.map(([code]) => code);
    await networks[i].hold(open, codes, (work) => conversation.between(work));
  }
}

async function openScene(contents) {
  useRuntime(contents.get(PROGRAM));
  const facts = read(contents, "scene/facts.json");
  const network = await Network.load({ decoder: contents.get("scene/decoder.onnx") });
  const pictures = new Uint8Array(contents.get("scene/scenes.bin"));
  const core = new SceneInHand(facts, pictures, network);
  await core.handle({ type: "reset" });
  conversation = new SceneConversation(core);
  return facts.spec;
}

function read(contents, path) {
  return JSON.parse(new TextDecoder().decode(contents.get(path)));
}

// files: by path, each with its bytes: how many are still to come is told on the way
async function load(files) {
  const total = Object.values(files).reduce((sum, size) => sum + size, 0);
  let loaded = 0;
  const contents = new Map();
  for (const path of Object.keys(files)) {
    const response = await fetch(new URL(path, import.meta.url));
    if (!response.ok) throw new Error(`${path} cannot be loaded (${response.status})`);
    const parts = [];
    for await (const part of readParts(response.body.getReader())) {
      parts.push(part);
      loaded += part.length;
      self.postMessage({ loaded, total });
    }
    contents.set(path, await new Blob(parts).arrayBuffer());
  }
  return contents;
}

async function* readParts(reader) {
  for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
}
