// The one unpack of the wire format; `cnnwidgets/widgets/wire.py` is its other half.
import { LEVELS } from "./look";
import { times } from "./times";

export interface Tensor {
  shape: number[];
  encoding: "picture" | "quantised" | "float";
  /** Quantised codes or picture bytes (Uint8Array), or the values themselves. */
  data: Uint8Array | Float32Array;
  /** Finite range of each map; quantised tensors only. */
  low?: Float32Array;
  high?: Float32Array;
}

const MAGIC = 0x574e4e43; // "CNNW", little-endian
const ITEM_BYTES = [1, 1, 2, 4];

const product = (shape: number[]) => shape.reduce((a, b) => a * b, 1);

/** Values in one map: the last two axes (all of a vector). */
export const mapSize = (t: Tensor): number => product(t.shape.slice(-2));

/** Maps in the tensor: the product of all axes but the last two. */
export const mapCount = (t: Tensor): number => product(t.shape.slice(0, -2));

/** The value at a flat, C-order index; NaN and ±Infinity come back as such. */
export function valueAt(t: Tensor, index: number): number {
  const code = t.data[index] as number;
  if (t.encoding !== "quantised") return code;
  const map = Math.floor(index / mapSize(t));
  return decode(code, t.low?.[map] ?? 0, t.high?.[map] ?? 0);
}

/** NaN, ∞ and −∞, as far as they are among these. */
export const oddOf = (values: ArrayLike<number>): number[] => [
  ...new Set(Array.from(values).filter((x) => !Number.isFinite(x))),
];

const SPECIAL = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN];

/** The number that a quantised code stands for. */
export const decode = (code: number, low: number, high: number): number =>
  code > LEVELS ? (SPECIAL[code - LEVELS - 1] as number) : low + (code * (high - low)) / LEVELS;

/** Reads one wire buffer; quantised and picture data are views on it, not copies. */
export function unpack(view: DataView): Tensor {
  if (view.byteLength < 8 || view.getUint32(0, true) !== MAGIC)
    throw new Error("not a cnnwidgets tensor");
  const kind = view.getUint8(4);
  const axes = view.getUint8(5);
  let at = 8 + 4 * axes;
  const shape = times(axes, (i) => view.getUint32(8 + 4 * i, true));
  const maps = kind === 1 ? product(shape.slice(0, -2)) : 0;
  const count = product(shape);
  if (kind > 3 || view.byteLength !== at + 8 * maps + count * (ITEM_BYTES[kind] as number))
    throw new Error("a cnnwidgets tensor of the wrong length");
  const low = new Float32Array(maps);
  const high = new Float32Array(maps);
  for (let i = 0; i < maps; i++, at += 8) {
    low[i] = view.getFloat32(at, true);
    high[i] = view.getFloat32(at + 4, true);
  }
  const start = view.byteOffset + at;
  if (kind === 0)
    return { shape, encoding: "picture", data: new Uint8Array(view.buffer, start, count) };
  if (kind === 1)
    return {
      shape,
      encoding: "quantised",
      data: new Uint8Array(view.buffer, start, count),
      low,
      high,
    };
  // Copied: a Float32Array must start at a multiple of four.
  const bytes = view.buffer.slice(start, start + count * (ITEM_BYTES[kind] as number));
  return {
    shape,
    encoding: "float",
    data: kind === 3 ? new Float32Array(bytes) : halves(new Uint16Array(bytes)),
  };
}

function halves(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (h) => {
    const exponent = (h >> 10) & 31;
    const fraction = h & 1023;
    const size =
      exponent === 31
        ? fraction
          ? Number.NaN
          : Number.POSITIVE_INFINITY
        : exponent
          ? 2 ** (exponent - 15) * (1 + fraction / 1024)
          : fraction * 2 ** -24;
    return h >> 15 ? -size : size;
  });
}
