// What the page teaches: words that are explained where they stand, and three things to try.

import { findNear, make } from "./pads.js";

const WORDS = {
  code: "The numbers in which an encoder has stored a picture: all a decoder gets to draw it anew.",
  latent: "One of a code's numbers, z0, z1, … What it stands for nobody has told the network.",
  "posterior variance":
    "How unsure the encoder is of a latent, averaged over many circles. Near 0 the latent " +
    "carries information about the circle; near 1 it says nothing.",
  informative:
    "A latent with a posterior variance below 0.5, marked ●; the others, marked ○, sleep.",
  prior: "N(0, 1): what training wants codes to look like when one does not know the picture.",
  posterior: "What the encoder says of one picture: for each latent a mean and a spread.",
  "latent plane": "All codes that differ in two latents only, one to the right and one upwards.",
};
const JUMP = 8; // points of a line that one move may pass over
const SHARE = 0.5; // of a line that must be followed

// What the page says of circles, of the data at hand.
export function speak({ spec }, text) {
  return text.replaceAll("circle", spec.thing);
}

// A word of the list, or another form of it, with its meaning on hover and on focus.
//   page: the view it stands in
export function explain(page, word, shown = word) {
  page.words += 1;
  const id = `${page.id}-word-${page.words}`;
  const bubble = make("span", { class: "bubble", role: "tooltip", id, hidden: "" });
  bubble.textContent = speak(page, WORDS[word]);
  const button = make("button", { type: "button", class: "word", "aria-describedby": id }, shown);
  const node = make("span", { class: "explained" }, button, bubble);
  const show = () => {
    bubble.hidden = false;
    keepInside(bubble, page.root);
  };
  const hide = () => {
    if (document.activeElement !== button) bubble.hidden = true;
  };
  const listeners = {
    mouseenter: show,
    mouseleave: hide,
    focusin: show,
    focusout: () => {
      bubble.hidden = true;
    },
    keydown: (event) => {
      if (event.key === "Escape") bubble.hidden = true;
    },
    click: show,
  };
  for (const [name, listener] of Object.entries(listeners)) node.addEventListener(name, listener);
  return node;
}

function keepInside(bubble, root) {
  bubble.style.left = "0";
  const over = bubble.getBoundingClientRect().right - root.getBoundingClientRect().right;
  if (over > 0) bubble.style.left = `${-over}px`;
}

// All words and what they mean, as a list.
export function makeGlossary(page) {
  const entries = Object.entries(WORDS).flatMap(([word, meaning]) => [
    make("dt", {}, word),
    make("dd", {}, speak(page, meaning)),
  ]);
  return make("dl", {}, ...entries);
}

// Three things to try, ticked when they have been done.
export function makeInvitations(page) {
  const { sides } = page.spec;
  const plane = sides.length > 1 ? "each plane" : "the plane";
  const circle = makeInvitation(speak(page, "Drag the circle along a blue line."));
  const planes = makeInvitation(`Now drag along the same line in ${plane}.`);
  const play = makeInvitation("Let one latent play: press ▶.");
  const tracers = new Map(); // by pad
  const left = new Set(sides.map(({ name }) => name)); // planes in which no line was followed
  let chosen = null; // the line that the circle has followed
  // A hand is at a place of a pad with this grid: a model's, or if it has no name, the image's.
  const follow = (pad, grid, place, name) => {
    const blue = grid.slice(0, grid.length / 2); // vertical in the image
    const isImage = name === undefined;
    if (!isImage && chosen === null) return;
    if (!tracers.has(pad)) tracers.set(pad, new Tracer());
    const lines = isImage ? blue : [blue[chosen]];
    const line = tracers.get(pad).follow(findNear(pad, lines, place), blue[0].length);
    if (line === null) return;
    if (isImage) {
      chosen = line;
      circle.tick();
    } else left.delete(name);
    if (!left.size) planes.tick();
  };
  page.invite = { follow, played: play.tick };
  const list = make("ol", { class: "invitations" }, circle.node, planes.node, play.node);
  return make("div", { class: "try" }, make("p", { class: "title" }, "Try"), list);
}

// Follows a hand along the lines of a grid.
class Tracer {
  line = null; // the number of the line that the hand is on
  last = null; // its last point, …
  ends = [null, null]; // … and the ends of what was followed without a jump

  // Of what is near the hand, see findNear: the line, if by now it has been followed, or null.
  follow(near, points) {
    const goesOn = ([line, point]) => line === this.line && Math.abs(point - this.last) <= JUMP;
    const next = near.find(goesOn);
    const [line, point] = next ?? near[0] ?? [null, null];
    const [low, high] = next ? this.ends : [point, point];
    this.ends = [Math.min(low, point), Math.max(high, point)];
    [this.line, this.last] = [line, point];
    const share = (this.ends[1] - this.ends[0]) / (points - 1);
    return share >= SHARE ? line : null;
  }
}

function makeInvitation(text) {
  const mark = make("span", { class: "tick", "aria-hidden": true }, "○");
  const state = make("span", { class: "unseen" }, "to do: ");
  const node = make("li", {}, mark, make("span", {}, state, text));
  const tick = () => {
    node.classList.add("done");
    mark.textContent = "✓";
    state.textContent = "done: ";
  };
  return { node, tick };
}
