// Numbers to colours: 256-entry tables built from a few control points, blended in OKLab.
import { NAN, NEGATIVE_INFINITY, POSITIVE_INFINITY, STOPS } from "./look";
import { decode, mapSize, type Tensor } from "./wire";

/** The first two are zero-centred and diverging, for activations and for weights; "sequential" is for one-signed quantities. */
export type Table = "activations" | "weights" | "sequential" | "grey";

export interface Scale {
  low: number;
  high: number;
  table: Table;
}

type Triple = [number, number, number];

const toLinear = (c: number) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const toGamma = (c: number) => (c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055);

const bytesOf = (hex: string): Triple =>
  [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)) as Triple;

function oklab(hex: string): Triple {
  const [r, g, b] = bytesOf(hex).map((c) => toLinear(c / 255)) as Triple;
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function rgb([L, a, b]: Triple): Triple {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((c) => Math.round(255 * Math.min(1, Math.max(0, toGamma(c))))) as Triple;
}

const packed = ([r, g, b]: Triple) => (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;

/** Entry 128 is the exact middle: zero is the neutral colour, not nearly so. */
const position = (i: number) => (i < 128 ? i / 256 : 0.5 + (i - 128) / 254);

const tables: Partial<Record<Table, Uint32Array>> = {};

/** The 256 colours of a table as little-endian RGBA words, as ImageData holds them. */
export function colors(table: Table): Uint32Array {
  tables[table] ??=
    table === "grey"
      ? Uint32Array.from({ length: 256 }, (_, i) => packed([i, i, i]))
      : blend(STOPS[table]);
  return tables[table];
}

function blend(stops: readonly string[]): Uint32Array {
  const points = stops.map(oklab);
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const at = position(i) * (points.length - 1);
    const from = Math.min(Math.floor(at), points.length - 2);
    const [p, q] = [points[from], points[from + 1]] as [Triple, Triple];
    return packed(rgb(p.map((c, k) => c + (at - from) * ((q[k] as number) - c)) as Triple));
  });
}

const diverging = (table: Table) => table === "activations" || table === "weights";
const special = [NEGATIVE_INFINITY, POSITIVE_INFINITY, NAN].map((hex) => packed(bytesOf(hex)));

/** The zero-centred range that holds [low, high]. */
export function symmetric(low: number, high: number): { low: number; high: number } {
  const limit = Math.max(Math.abs(low), Math.abs(high));
  return { low: -limit, high: limit };
}

/** Value → packed colour, for one scale. */
function colorist({ low, high, table }: Scale): (value: number) => number {
  const lut = colors(table);
  const gain = high > low ? 255 / (high - low) : 0;
  const offset = !gain && diverging(table) ? 128 : 0;
  return (value) => {
    if (Number.isFinite(value))
      return lut[Math.min(255, Math.max(0, Math.round((value - low) * gain + offset)))] as number;
    return special[Number.isNaN(value) ? 2 : value > 0 ? 1 : 0] as number;
  };
}

/** The CSS colour of one value. */
export function cssColor(value: number, scale: Scale): string {
  const c = colorist(scale)(value);
  return `rgb(${c & 255} ${(c >> 8) & 255} ${(c >> 16) & 255})`;
}

/** What to write on the colour of a value: black or white, at least 4.58 to 1 (WCAG 2, relative luminance). */
export function ink(value: number, scale: Scale): "#000" | "#fff" {
  const c = colorist(scale)(value);
  const luminance = [0.2126, 0.7152, 0.0722].reduce(
    (sum, weight, i) => sum + weight * toLinear(((c >> (8 * i)) & 255) / 255),
    0,
  );
  return luminance < 0.179 ? "#fff" : "#000";
}

/** The colour of each code of the map that is being painted. */
const coded = new Uint32Array(256);

/** Paints map number `map` of a tensor into `out`, which has the map's size. */
export function paint(t: Tensor, map: number, scale: Scale, out: ImageData): void {
  const pixels = new Uint32Array(out.data.buffer);
  const color = colorist(scale);
  const size = mapSize(t);
  const { data } = t;
  const start = map * size;
  if (t.encoding !== "quantised") {
    for (let i = 0; i < size; i++) pixels[i] = color(data[start + i] as number);
    return;
  }
  const low = t.low?.[map] ?? 0;
  const high = t.high?.[map] ?? 0;
  for (let code = 0; code < 256; code++) coded[code] = color(decode(code, low, high));
  for (let i = 0; i < size; i++) pixels[i] = coded[data[start + i] as number] as number;
}

/** Paints a [H, W, 3] or [H, W] picture. */
export function paintPicture(t: Tensor, out: ImageData): void {
  const pixels = new Uint32Array(out.data.buffer);
  const { data } = t;
  const step = t.shape[2] ?? 1;
  const [g, b] = step > 1 ? [1, 2] : [0, 0];
  for (let i = 0, at = 0; i < pixels.length; i++, at += step)
    pixels[i] =
      0xff000000 |
      ((data[at + b] as number) << 16) |
      ((data[at + g] as number) << 8) |
      (data[at] as number);
}
