// Pictures as a film: a GIF that never ends, by gifenc.

import { applyPalette, GIFEncoder, quantize } from "./gifenc.esm.js";

const MOST = 256; // colors of a palette
const GREYS = Array.from({ length: MOST }, (_, i) => [i, i, i]);
const OPAQUE = 255;

// The content of the file. Greys are kept as they are; of colors each picture has its own palette.
//   pictures: bytes [size * size], or [size * size * 3] if they have 3 channels, in their order
//   scale: width of a picture's pixel in the film
//   duration: of a picture, in milliseconds
export function encodeFilm(pictures, size, { channels = 1, scale, duration }) {
  const film = GIFEncoder();
  const width = scale * size;
  for (const picture of pictures) {
    const { palette, index } =
      channels === 1 ? { palette: GREYS, index: picture } : choose(picture);
    film.writeFrame(enlarge(index, size, scale), width, width, { palette, delay: duration });
  }
  film.finish();
  return film.bytes();
}

// A palette for a picture of colors, and the index of each of its pixels in it.
function choose(picture) {
  const pixels = new Uint8Array((4 * picture.length) / 3).fill(OPAQUE);
  picture.forEach((value, i) => {
    pixels[4 * Math.floor(i / 3) + (i % 3)] = value;
  });
  const palette = quantize(pixels, MOST);
  return { palette, index: applyPalette(pixels, palette) };
}

function enlarge(index, size, scale) {
  const width = scale * size;
  return Uint8Array.from({ length: width * width }, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    return index[Math.floor(row / scale) * size + Math.floor(column / scale)];
  });
}
