// The colours of a map over a picture.
import { colors, type Table } from "./color";

/** Mixes a packed colour over the grey of another, as a map over a picture. */
export function over(color: number, under: number, opacity: number): number {
  const grey = 0.299 * (under & 255) + 0.587 * ((under >> 8) & 255) + 0.114 * ((under >> 16) & 255);
  const mix = (shift: number) =>
    Math.round(opacity * ((color >> shift) & 255) + (1 - opacity) * grey) << shift;
  return (0xff000000 | mix(16) | mix(8) | mix(0)) >>> 0;
}

const SHADES = 10;
const GREY = 0x010101;

/** A legend's colours over a grey picture: over black in the first row, over white in the last. */
export function mixed(table: Table, opacity: number): Uint32Array {
  const palette = colors(table);
  return Uint32Array.from({ length: 256 * SHADES }, (_, i) => {
    const shade = Math.round((255 * Math.floor(i / 256)) / (SHADES - 1));
    return over(palette[i % 256] as number, shade * GREY, opacity);
  });
}
