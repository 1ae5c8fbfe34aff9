// Figures of the book that live in the page. Until one is opened, a picture stands in its place.

const SLOW =
  "This machine is slow to answer. What you did last is kept, and done as soon as it can.";
const BLOCKED =
  "This page cannot run WebAssembly, which the networks need: the picture stands for it.";
const MEGABYTE = 1e6;

// What anywidget gives a page, as far as the explorer asks for it; a worker is the kernel.
class Model {
  constructor(worker, spec) {
    Object.assign(this, { worker, spec, silence: SLOW, listeners: new Set() });
    worker.addEventListener("message", ({ data }) => {
      if (!data.content) return;
      const views = data.buffers.map((buffer) => new DataView(buffer));
      for (const listener of [...this.listeners]) listener(data.content, views);
    });
  }

  get(name) {
    return this[name];
  }

  on(name, listener) {
    if (name === "msg:custom") this.listeners.add(listener);
  }

  off(_, listener) {
    this.listeners.delete(listener);
  }

  send(message) {
    this.worker.postMessage({ message });
  }
}

// What opens when a button is pressed: what it is called, where its files are listed, and its page.
const KINDS = {
  explorer: { name: "explorer", list: "models/files.json", script: "./explorer.js" },
  squares: { name: "explorer", list: "squares/files.json", script: "./explorer.js" },
  scene: { name: "scene", list: "scene/files.json", script: "./scene.js" },
};

// Put the explorer, or a scene, in the place of a picture when its button is pressed.
async function offer(figure, kind) {
  const { name, list } = KINDS[kind];
  const answer = await fetch(new URL(list, import.meta.url));
  const { files, transferred } = await answer.json();
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `Open the ${name} here (loads ${(transferred / MEGABYTE).toFixed(1)} MB)`;
  const status = document.createElement("p");
  status.setAttribute("role", "status");
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", `Loading the ${name}`);
  figure.append(button, status);
  button.addEventListener("click", async () => {
    button.remove();
    figure.append(bar);
    status.textContent = "Loading the networks …";
    try {
      const tell = (loaded, total) => Object.assign(bar, { max: total, value: loaded });
      await open(figure, { kind, files }, tell);
      status.remove();
    } catch (error) {
      status.textContent = `${error.message}`;
    }
    bar.remove();
  });
}

async function open(figure, task, tell) {
  if (!(await canRunWebAssembly())) throw new Error(BLOCKED);
  const { name, script } = KINDS[task.kind];
  const { default: shown } = await import(script);
  const failed = `The ${name} cannot start`;
  const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  const drawn = listenWhatDraws(worker);
  const spec = await new Promise((done, fail) => {
    worker.addEventListener("message", ({ data }) => {
      if (data.spec) done(data.spec);
      else if (data.failed) fail(new Error(`${failed}: ${data.failed}`));
      else if (data.total) tell(data.loaded, data.total);
    });
    worker.addEventListener("error", () => fail(new Error(`${failed} here.`)));
    worker.postMessage(task);
  });
  const place = document.createElement("div");
  figure.replaceChildren(place, drawn);
  shown.render({ model: new Model(worker, spec), el: place });
}

// A line that says by what means each model's pictures are drawn, as far as that is known.
function listenWhatDraws(worker) {
  const line = document.createElement("p");
  line.className = "drawn";
  line.setAttribute("role", "status");
  const texts = new Map(); // by the name of the model
  worker.addEventListener("message", ({ data }) => {
    if (!data.drawn) return;
    texts.set(data.drawn.name, data.drawn.text);
    const [first, ...others] = new Set(texts.values());
    const each = [...texts].map(([name, text]) => `${name} is drawn ${text}.`);
    line.textContent = others.length ? each.join(" ") : `Drawn ${first}.`;
  });
  return line;
}

// A policy of the server may forbid it; the smallest program tells.
function canRunWebAssembly() {
  const smallest = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
  const compiling = globalThis.WebAssembly?.compile(smallest);
  return compiling?.then(
    () => true,
    () => false,
  );
}

// The small figures need no networks: they live at once.
async function begin(figures) {
  const [answer, small] = await Promise.all([
    fetch(new URL("models/figures.json", import.meta.url)),
    import("./figures.js"),
  ]);
  const facts = await answer.json();
  const shows = { "live-sprite": small.showSprite, "live-diamond": small.showDiamond };
  for (const figure of figures) {
    const kind = Object.keys(shows).find((name) => figure.classList.contains(name));
    const root = document.createElement("div");
    root.className = "sbd-figure";
    shows[kind](root, facts[kind.replace("live-", "")]);
    figure.append(root);
  }
}

for (const kind of Object.keys(KINDS)) {
  for (const figure of document.querySelectorAll(`.live-${kind}`)) offer(figure, kind);
}
const small = document.querySelectorAll(".live-sprite, .live-diamond");
if (small.length) begin(small);
