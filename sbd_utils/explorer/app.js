// The explorer on a page of its own: a line to its server in the place of Jupyter.

import explorer from "./explorer.js";

const RETRY = 300; // milliseconds after which a lost line is tried again
const LOST = "The server cannot be reached; if it was stopped, start it again.";

const progress = document.querySelector("#progress");

// As in JupyterLab's services: what can be connected to listeners.
class Signal {
  listeners = new Set();

  connect(listener) {
    this.listeners.add(listener);
  }

  disconnect(listener) {
    this.listeners.delete(listener);
  }

  emit(value) {
    for (const listener of [...this.listeners]) listener(null, value);
  }
}

// What anywidget gives a page, as far as the explorer asks for it.
class Model {
  spec = null;
  listeners = { "msg:custom": new Set() };
  kernel = {
    status: "idle",
    connectionStatus: "connecting",
    connectionStatusChanged: new Signal(),
  };
  widget_manager = { kernel: this.kernel };

  get(name) {
    return this[name];
  }

  on(name, listener) {
    this.listeners[name]?.add(listener);
  }

  off(name, listener) {
    this.listeners[name]?.delete(listener);
  }

  // What is sent while there is no line is sent again by the page.
  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  open() {
    this.socket = new WebSocket(`ws://${location.host}/line`);
    this.socket.binaryType = "arraybuffer";
    this.socket.addEventListener("message", ({ data }) => this.receive(...unpack(data)));
    this.socket.addEventListener("close", () => {
      if (!this.spec) progress.textContent = LOST;
      this.become("connecting");
      setTimeout(() => this.open(), RETRY);
    });
  }

  receive(content, buffers) {
    if (content.type === "progress") progress.textContent = content.text;
    else if (content.type === "spec") this.begin(content.spec);
    else for (const listener of [...this.listeners["msg:custom"]]) listener(content, buffers);
  }

  begin(spec) {
    if (!this.spec) {
      this.spec = spec;
      progress.remove();
      this.kernel.connectionStatus = "connected";
      explorer.render({ model: this, el: document.querySelector("#explorer") });
    } else this.become("connected"); // anew
  }

  become(status) {
    if (this.kernel.connectionStatus === status) return;
    this.kernel.connectionStatus = status;
    this.kernel.connectionStatusChanged.emit(status);
  }
}

// A line of JSON with the buffers' sizes, then the buffers.
function unpack(data) {
  const end = new Uint8Array(data).indexOf("\n".charCodeAt(0));
  const content = JSON.parse(new TextDecoder().decode(data.slice(0, end)));
  let start = end + 1;
  const buffers = content.sizes.map((size) => {
    const buffer = new DataView(data, start, size);
    start += size;
    return buffer;
  });
  return [content, buffers];
}

new Model().open();
