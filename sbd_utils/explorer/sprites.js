// How sprites are drawn: sbd_utils/sprites.py once more, for a page without Python.

// One white sprite on black, [size of the image] squared in [0, 1], row by row. Every pixel is the
// part of it that the sprite covers; derivations stand in sprites.py.
//   form: { radius }, the distance of the outermost point for size 1, of a disc; and { corners },
//     their directions in degrees, of a polygon; { ratio }, of its length to its width, of an oval;
//     or { side, drop }, HEART_SIDE and HEART_DROP of sprites.py, of a heart
//   sprite: { x, y, size, angle }, the centre in pixels from the left and from above
export function drawSprite(form, { x, y, size, angle = 0 }, imSize) {
  const radius = size * form.radius;
  const window = Math.min(Math.ceil(2 * radius) + 1, imSize);
  const [u, v] = [x, y].map((center) => {
    const start = clamp(Math.floor(center - radius), 0, imSize - window);
    const edges = Array.from({ length: window + 1 }, (_, i) => start - center + i);
    return { start, edges };
  });
  const area = findArea(form, u.edges, v.edges, { radius, size, angle });
  const image = new Float32Array(imSize * imSize);
  for (let i = 0; i < window; i++) {
    for (let j = 0; j < window; j++) {
      const cover = area[i][j + 1] - area[i][j];
      image[(v.start + i) * imSize + u.start + j] = clamp(cover, 0, 1);
    }
  }
  return image;
}

// Red, green and blue in [0, 1], as hsv_to_rgb of sprites.py gives them.
//   color: { hue, saturation, value }, the hue in degrees, 0 or more
export function hsvToRgb({ hue, saturation, value }) {
  return [5, 3, 1].map((start) => {
    const k = (hue / 60 + start) % 6;
    const lack = clamp(Math.min(k, 4 - k), 0, 1);
    return value * (1 - saturation * lack);
  });
}

export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

function findArea(form, us, vs, { radius, size, angle }) {
  if (form.corners) return polygonArea(us, vs, radius, angle, form.corners);
  const near = [us, vs].map((edges) => edges.map((edge) => clamp(edge, -radius, radius)));
  if (form.ratio) return ovalArea(...near, radius, radius / form.ratio, angle);
  if (form.side) return heartArea(...near, size * form.side, size * form.drop, angle);
  return discArea(us, vs, radius);
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
    const [cos, sin] = findDirection(angle + corner);
    return [radius * cos, radius * sin];
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

// The same for an ellipse of these half-axes, the first turned clockwise from the right.
function ovalArea(us, vs, long, wide, angle) {
  const ellipse = turnEllipse(long, wide, angle);
  const ys = vs.map((v) => clamp(v, -ellipse.b, ellipse.b));
  const area = rightOfLeftArc(us, ys, ellipse);
  add(area, rightOfRightArc(us, ys, ellipse), -1);
  return area;
}

// The same for a heart: two straight sides, which meet in the point, and two half-circles.
function heartArea(us, vs, side, drop, angle) {
  const right = findDirection(angle);
  const down = [-right[1], right[0]];
  const half = side / Math.SQRT2;
  const from = (way, length) => way.map((value, i) => drop * down[i] + length * value);
  const left = right.map((value) => -value);
  const [first, point, last] = [right, down, left].map((way) => from(way, half));
  const area = rows(vs.length - 1, () => us.map(() => 0));
  subtractRightOf(area, us, vs, first, point);
  subtractRightOf(area, us, vs, point, last);
  for (const across of [right, left]) {
    const way = across.map((value, i) => value - down[i]);
    const [x, y] = from(way, half / 2); // the middle of the half-circle
    const seen = [us.map((u) => u - x), vs.map((v) => v - y)];
    const towards = way.map((value) => value / Math.SQRT2);
    addHalfCircle(area, ...seen, side / 2, towards);
  }
  return area;
}

// What a half-circle about the origin adds as part of an outline.
//   way: the unit vector to the middle of its arc
function addHalfCircle(area, us, vs, radius, [x, y]) {
  const circle = turnEllipse(radius, radius, 0);
  const sign = y < 0 ? -1 : 1;
  const highest = sign * radius;
  const [left, right] = [x, -x].map((share) => {
    const end = sign * share * radius;
    return vs.map((v) => clamp(v, Math.min(highest, end), Math.max(highest, end)));
  });
  add(area, rightOfLeftArc(us, left, circle), 1);
  add(area, rightOfRightArc(us, right, circle), -1);
}

// _Ellipse of sprites.py, with the same names.
function turnEllipse(long, wide, angle) {
  const [cos, sin] = findDirection(angle);
  const xx = (long * cos) ** 2 + (wide * sin) ** 2;
  const yy = (long * sin) ** 2 + (wide * cos) ** 2;
  const xy = (long ** 2 - wide ** 2) * cos * sin;
  const [a, b] = [Math.sqrt(xx), Math.sqrt(yy)];
  return { a, b, c: (long * wide) / b, k: xy / yy, m: xy / xx, n: (long * wide) / a };
}

// Area in each row between an ellipse's left-hand outline and, right of it, each pixel edge.
function rightOfLeftArc(us, ys, { a, b, c, k, m, n }) {
  const columns = us.map((u) => {
    const x = clamp(u, -a, a);
    const half = n * Math.sqrt(Math.max(1 - (x / a) ** 2, 0));
    const enter = u > -k * b ? -b : m * x - half;
    const leave = u > k * b ? b : m * x + half;
    return ys.map((v) => {
      const y = Math.max(Math.min(v, leave), enter);
      const t = clamp(y / b, -1, 1);
      const outer = ((c * b) / 2) * (t * Math.sqrt(1 - t * t) + Math.asin(t));
      return u * y - (k / 2) * y * y + outer;
    });
  });
  return rows(ys.length - 1, (i) => columns.map((column) => column[i + 1] - column[i]));
}

// The right-hand outline is the left-hand one turned by 180 degrees.
function rightOfRightArc(us, ys, ellipse) {
  const [left, up] = [us, ys].map((values) => values.map((value) => -value));
  const turned = rightOfLeftArc(left, up.reverse(), ellipse).reverse();
  return turned.map((row, i) => row.map((part, j) => part + us[j] * (ys[i + 1] - ys[i])));
}

function add(area, part, factor) {
  area.forEach((row, i) => {
    for (let j = 0; j < row.length; j++) row[j] += factor * part[i][j];
  });
}

// The unit vector that is turned clockwise from the right by so many degrees.
function findDirection(degrees) {
  const turn = ((degrees % 360) * Math.PI) / 180;
  return [Math.cos(turn), Math.sin(turn)];
}

function rows(count, make) {
  return Array.from({ length: count }, (_, i) => make(i));
}
