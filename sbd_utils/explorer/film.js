// Grey pictures as a film: GIF89a (CompuServe 1990), whose pixels are packed by LZW (Welch 1984).

const GREYS = 256; // colors of the palette
const CLEAR = GREYS; // the code that forgets all strings …
const END = GREYS + 1; // … the one after the last …
const FIRST = GREYS + 2; // … and the first that stands for a string
const MOST_BITS = 12; // of a code
const LONGEST_BLOCK = 255; // bytes
const AGAIN = [0x21, 0xff, 11, ...ascii("NETSCAPE2.0"), 3, 1, ...short(0), 0]; // never ends

// The content of a GIF file that never ends.
//   pictures: bytes [size * size] each, in their order; one may come several times
//   scale: width of a picture's pixel in the film
//   duration: of a picture, in milliseconds
export function encodeFilm(pictures, size, { scale, duration }) {
  const screen = [...short(scale * size), ...short(scale * size)];
  const palette = Array.from({ length: 3 * GREYS }, (_, i) => Math.floor(i / 3));
  const begin = [...ascii("GIF89a"), ...screen, 0xf7, 0, 0, ...palette, ...AGAIN];
  const control = [0x21, 0xf9, 4, 0, ...short(duration / 10), 0, 0];
  const frame = [...control, 0x2c, ...short(0), ...short(0), ...screen, 0, 8];
  const packed = new Map();
  for (const picture of new Set(pictures)) packed.set(picture, pack(enlarge(picture, size, scale)));
  const frames = pictures.flatMap((picture) => [Uint8Array.from(frame), packed.get(picture)]);
  return concatenate([Uint8Array.from(begin), ...frames, Uint8Array.of(0x3b)]);
}

function enlarge(picture, size, scale) {
  const width = scale * size;
  return Uint8Array.from({ length: width * width }, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    return picture[Math.floor(row / scale) * size + Math.floor(column / scale)];
  });
}

// Pixels as codes of 9 bits or more, in blocks, the last of which is empty.
function pack(pixels) {
  const longer = new Uint16Array(GREYS << MOST_BITS); // by string and next pixel, the longer string
  const bytes = [];
  let [waiting, count] = [0, 0]; // bits that fill no byte yet
  let [width, next] = [9, FIRST]; // of a code; the next string's
  const put = (code) => {
    waiting |= code << count;
    count += width;
    for (; count >= 8; count -= 8) {
      bytes.push(waiting & 255);
      waiting >>>= 8;
    }
    if (next === 1 << width && width < MOST_BITS) width += 1;
  };
  put(CLEAR);
  let string = pixels[0];
  for (const pixel of pixels.subarray(1)) {
    const place = (string << 8) | pixel;
    if (longer[place]) {
      string = longer[place];
      continue;
    }
    put(string);
    if (next < 1 << MOST_BITS) longer[place] = next++;
    else {
      put(CLEAR);
      longer.fill(0);
      [width, next] = [9, FIRST];
    }
    string = pixel;
  }
  put(string);
  put(END);
  bytes.push(waiting);
  return concatenate([...cut(bytes), Uint8Array.of(0)]);
}

function cut(bytes) {
  const count = Math.ceil(bytes.length / LONGEST_BLOCK);
  return Array.from({ length: count }, (_, i) => {
    const block = bytes.slice(i * LONGEST_BLOCK, (i + 1) * LONGEST_BLOCK);
    return Uint8Array.of(block.length, ...block);
  });
}

function concatenate(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let start = 0;
  for (const part of parts) {
    all.set(part, start);
    start += part.length;
  }
  return all;
}

function short(number) {
  return [number & 255, number >> 8];
}

function ascii(text) {
  return Array.from(text, (letter) => letter.charCodeAt(0));
}
