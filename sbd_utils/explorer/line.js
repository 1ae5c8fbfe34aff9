// The line to the kernel: what is sent over it, and what is said when nobody answers.

// Of these only the newest counts.
const MOVES = ["latent", "image", "slider", "factor", "walk", "place", "hue"];
const PATIENCE = 1.5; // seconds without an answer until that is said, and the message sent again …
const LONGEST = 30; // … each time after twice as long, up to this
const LOOKS = 20; // answers that say how long small messages take on their way …
const DELAY = 35; // … and milliseconds from which on they are delayed

const KEPT = "What you did last is kept, and done as soon as it answers.";
const AWAY = `The server cannot be reached; if it was stopped, start it again. ${KEPT}`;
const BUSY = `The kernel is busy. ${KEPT}`;
const SILENT = `No answer for ${PATIENCE} seconds: the kernel is busy, or gone. ${KEPT}`;
const CUT = "The line to the kernel is cut.";
const GONE = {
  restarting: "The kernel was started anew, and this explorer went with the old one.",
  autorestarting: "The kernel died and was started anew; this explorer went with the old one.",
  terminating: "The kernel has been shut down.",
  dead: "The kernel is dead.",
};
const DELAYED =
  "This server delays small messages, or is far away: pictures lag behind the hand. `make lab` " +
  "starts a JupyterLab that does not delay them.";

// On this line one message is under way at a time, and sent again until it is answered; the kernel
// knows by its number what it has done already. Meanwhile only the newest position is kept; what
// is not a position (a button, an axis) is never dropped.
//   model: the widget's model, that messages are sent by
//   name: by which answers are known to be this page's
//   onTrouble(text): there is no answer, or there will be none
//   onDelay(text): called once if small messages are delayed
//   onChange(count): so many messages wait for an answer
export class KernelLine {
  constructor(model, { name, onTrouble, onDelay, onChange }) {
    Object.assign(this, { model, name, onTrouble, onDelay, onChange });
    this.kernel = model.widget_manager?.kernel; // where the widgets' manager tells
    this.waiting = [];
    this.flying = null; // sent, and not answered
    this.sent = 0; // number of the last message
    this.gone = null; // once this line will never be answered again, why
    this.ways = []; // milliseconds that the last answers and their questions were under way
  }

  send(event) {
    if (this.gone) {
      this.onTrouble(this.gone);
      return;
    }
    if (replaces(event, this.waiting.at(-1))) this.waiting.pop();
    this.waiting.push({ ...event, stamp: event.stamp ?? performance.now() });
    this.next();
  }

  next() {
    if (!this.flying && this.waiting.length) {
      this.sent += 1;
      this.flying = { ...this.waiting.shift(), page: this.name, number: this.sent };
      this.transmit(PATIENCE);
    }
    this.onChange(this.unanswered().length);
  }

  transmit(patience) {
    this.left = performance.now();
    this.timer = setTimeout(() => this.repeat(patience), 1000 * patience);
    try {
      this.model.send(this.flying);
    } catch {
      this.drop();
      this.onTrouble(`${CUT} ${again()}`);
    }
  }

  repeat(patience) {
    this.onTrouble(this.explain());
    this.transmit(Math.min(2 * patience, LONGEST));
  }

  // Why there may be no answer.
  explain() {
    if (this.model.silence) return this.model.silence; // there is no kernel: it says why itself
    if (isAway(this.kernel)) return AWAY;
    return `${this.kernel?.status === "busy" ? BUSY : SILENT} If it stays so: ${again()}`;
  }

  // Whether this is the answer that is waited for, and not one more to what was sent again.
  awaits({ number }) {
    return number === this.flying?.number;
  }

  hear({ number, kernel, type }) {
    if (!this.awaits({ number })) return;
    clearTimeout(this.timer);
    if (type === "view") this.look(performance.now() - this.left - kernel);
    this.flying = null;
    this.next();
  }

  // A busy computer makes some messages slow, a server that waits for acknowledgements nearly all.
  look(way) {
    if (this.ways === null) return;
    this.ways.push(way);
    if (this.ways.length < LOOKS) return;
    const quick = this.ways.sort((a, b) => a - b)[LOOKS / 4];
    this.ways = [];
    if (quick < DELAY) return;
    this.ways = null;
    this.onDelay(DELAYED);
  }

  // No message comes through any more.
  cut(text = CUT) {
    if (this.gone && text === CUT) return; // it is known already, and why
    this.drop();
    this.gone = `${text} ${again()}`;
    this.onTrouble(this.gone);
  }

  // What waits will not be done.
  drop() {
    this.close();
    this.waiting = [];
    this.flying = null;
    this.next();
  }

  // What has been done since the kernel's last answer.
  unanswered() {
    return this.flying ? [this.flying, ...this.waiting] : this.waiting;
  }

  isIdle() {
    return !this.unanswered().length;
  }

  close() {
    clearTimeout(this.timer);
  }

  // Hear of the kernel's end, and of a server that goes and comes, at once; gives what ends that.
  //   onBack(): the server can be reached again
  watch(onBack) {
    const listeners = [
      [this.kernel?.statusChanged, (_, status) => GONE[status] && this.cut(GONE[status])],
      [this.kernel?.disposed, () => this.cut(GONE.terminating)],
      [this.kernel?.connectionStatusChanged, () => this.heed(onBack)],
    ];
    for (const [signal, listener] of listeners) signal?.connect(listener);
    return () => {
      for (const [signal, listener] of listeners) signal?.disconnect(listener);
    };
  }

  heed(onBack) {
    if (this.gone) return;
    if (isAway(this.kernel)) {
      this.onTrouble(AWAY);
      return;
    }
    if (this.flying) {
      clearTimeout(this.timer);
      this.transmit(PATIENCE);
    }
    onBack();
  }
}

function isAway(kernel) {
  return ["connecting", "disconnected"].includes(kernel?.connectionStatus);
}

function again() {
  return document.body.dataset.voila ? "Load this page again." : "Run this cell again.";
}

// Whether an event makes an older one needless: the same thing, moved on.
function replaces(event, older) {
  if (!older || !MOVES.includes(event.type)) return false;
  return ["type", "model", "latent", "name", "slot"].every(
    (field) => event[field] === older[field],
  );
}
