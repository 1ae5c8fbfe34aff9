// What is to be seen in a picture, in words: sbd_utils/explorer/spots.py once more.

// A number as Python rounds it: a half goes to the even neighbour.
export function round(value) {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 ? low + 1 : low;
}

// Without a full stop.
//   picture: bytes [H, H, C]
//   words: DARK, BRIGHT, LIGHT_SHARE, WIDE and MOST of spots.py
export function describePicture(picture, size, channels, words) {
  const light = findLightest(picture, channels);
  const most = light.reduce((a, b) => Math.max(a, b));
  if (most < words.DARK) return "a dark picture";
  const mask = findLight(light, size, words);
  if (mask.filter(Boolean).length > words.WIDE * mask.length)
    return "light over most of the picture";
  const spots = findSpots(mask, size);
  if (spots.length > words.MOST) return `light in ${spots.length} places`;
  const kinds = spots.map((spot) => (mostOf(light, spot) >= words.BRIGHT ? "bright" : "pale"));
  const places = spots.map((spot) => findPlace(spot, size));
  if (spots.length === 1) return `a ${kinds[0]} spot at ${places[0]} pixels`;
  if (new Set(kinds).size === 1)
    return `${spots.length} ${kinds[0]} spots, at ${places.join(" and ")} pixels`;
  const named = places.map((place, i) => `${place} (${kinds[i]})`);
  return `${spots.length} spots, at ${named.join(" and ")} pixels`;
}

// Which pixels belong to a spot: a pale one beside a bright one is measured by its own light, as
// long as it is dark between them.
function findLight(light, size, words) {
  const mask = new Array(light.length).fill(false);
  const lit = Array.from(light, (value) => value >= words.DARK);
  for (const region of findSpots(lit, size)) {
    const least = words.LIGHT_SHARE * mostOf(light, region);
    for (const pixel of region) mask[pixel] = light[pixel] >= least;
  }
  return mask;
}

function mostOf(light, pixels) {
  return pixels.reduce((most, pixel) => Math.max(most, light[pixel]), 0);
}

// Of each pixel, the channel with most light.
function findLightest(picture, channels) {
  const light = new Uint8Array(picture.length / channels);
  for (let i = 0; i < picture.length; i++) {
    const pixel = Math.floor(i / channels);
    light[pixel] = Math.max(light[pixel], picture[i]);
  }
  return light;
}

// The connected parts of a mask, the largest first: the numbers of their pixels, ascending.
function findSpots(mask, size) {
  const left = [...mask];
  const spots = [];
  for (let seed = left.indexOf(true); seed >= 0; seed = left.indexOf(true)) {
    const spot = [];
    const todo = [seed];
    left[seed] = false;
    while (todo.length) {
      const pixel = todo.pop();
      spot.push(pixel);
      for (const next of neighbours(pixel, size)) {
        if (!left[next]) continue;
        left[next] = false;
        todo.push(next);
      }
    }
    spots.push(spot.sort((a, b) => a - b));
  }
  return spots.sort((a, b) => b.length - a.length);
}

function neighbours(pixel, size) {
  const [row, column] = [Math.floor(pixel / size), pixel % size];
  const found = [];
  for (const i of [row - 1, row, row + 1]) {
    for (const j of [column - 1, column, column + 1]) {
      if (Math.min(i, j) >= 0 && Math.max(i, j) < size) found.push(i * size + j);
    }
  }
  return found;
}

// The spot's middle; where that is empty, as in a ring, the spot's pixel next to it.
function findPlace(spot, size) {
  const points = spot.map((pixel) => [pixel % size, Math.floor(pixel / size)]);
  const mean = (axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  let [x, y] = [mean(0), mean(1)];
  if (!spot.includes(round(y) * size + round(x))) {
    const distances = points.map((point) => Math.hypot(point[0] - x, point[1] - y));
    [x, y] = points[distances.indexOf(Math.min(...distances))];
  }
  return `x ${round(x + 0.5)}, y ${round(y + 0.5)}`;
}
