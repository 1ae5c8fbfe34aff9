// How sprites are drawn: sbd_utils/sprites.py once more, for a page without Python.

// One white sprite on black, [size of the image] squared in [0, 1], row by row. Every pixel is the
// part of it that the sprite covers; derivations stand in sprites.py.
//   form: { radius, corners }: the distance of the outermost point for size 1, and the directions
//     of the corners in degrees, or null for a disc
//   sprite: { x, y, size, angle }, the centre in pixels from the left and from above
export function drawSprite({ radius: unit, corners }, { x, y, size, angle = 0 }, imSize) {
  const radius = size * unit;
  const window = Math.min(Math.ceil(2 * radius) + 1, imSize);
  const [u, v] = [x, y].map((center) => {
    const start = clamp(Math.floor(center - radius), 0, imSize - window);
    const edges = Array.from({ length: window + 1 }, (_, i) => start - center + i);
    return { start, edges };
  });
  const area = corners
    ? polygonArea(u.edges, v.edges, radius, angle, corners)
    : discArea(u.edges, v.edges, radius);
  const image = new Float32Array(imSize * imSize);
  for (let i = 0; i < window; i++) {
    for (let j = 0; j < window; j++) {
      const cover = area[i][j + 1] - area[i][j];
      image[(v.start + i) * imSize + u.start + j] = clamp(cover, 0, 1);
    }
  }
  return image;
}

export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

// Area of a disc about the origin in each row of pixels, left of each pixel edge.
function discArea(us, vs, radius) {
  const square = radius * radius;
  const [u, v] = [us, vs].map((edges) =>
    edges.map((edge) => {
      const t = clamp(edge, -radius, radius);
      const reach = square - t * t;
      const twiceLeft = t * Math.sqrt(reach) + square * Math.asin(t / radius);
      return { t, reach, left: Math.abs(twiceLeft) / 2 - (Math.PI / 8) * square };
    }),
  );
  const corner = (a, b) => {
    const product = a.t * b.t;
    if (b.t * b.t < a.reach) return product;
    const outside = Math.abs(a.left + b.left);
    return product < 0 || Object.is(product, -0) ? -outside : outside;
  };
  return rows(v.length - 1, (i) => u.map((a) => corner(a, v[i + 1]) - corner(a, v[i])));
}

// The same for a convex polygon about the origin, by Green's theorem.
function polygonArea(us, vs, radius, angle, corners) {
  const points = corners.map((corner) => {
    const turn = (((angle % 360) + corner) * Math.PI) / 180;
    return [radius * Math.cos(turn), radius * Math.sin(turn)];
  });
  const area = rows(vs.length - 1, () => us.map(() => 0));
  points.forEach((end, number) => {
    const start = points.at(number - 1);
    subtractRightOf(area, us, vs, start, end);
  });
  return area;
}

function subtractRightOf(area, us, vs, [x0, y0], [x1, y1]) {
  const slope = (x1 - x0) / (y0 === y1 ? 1 : y1 - y0);
  const ys = vs.map((edge) => clamp(edge, Math.min(y0, y1), Math.max(y0, y1)));
  const xs = ys.map((y) => x0 + slope * (y - y0));
  area.forEach((row, i) => {
    const height = (ys[i + 1] - ys[i]) * Math.sign(y1 - y0);
    const [low, high] = [Math.min(xs[i], xs[i + 1]), Math.max(xs[i], xs[i + 1])];
    us.forEach((u, j) => {
      const between = (clamp(u, low, high) - low) ** 2 / Math.max(2 * (high - low), 1e-12);
      row[j] -= height * (between + Math.max(u - high, 0));
    });
  });
}

function rows(count, make) {
  return Array.from({ length: count }, (_, i) => make(i));
}
