import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mapCount, mapSize, type Tensor, unpack, valueAt } from "./wire";

interface Vector {
  name: string;
  encoding: string;
  shape: number[];
  values: (number | string)[];
  hex: string;
}

const file = new URL("../../../tests/vectors/wire.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as Vector[];
const bytesOf = (hex: string) =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const viewOf = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const valuesOf = (t: Tensor) => Array.from(t.data, (_, i) => Math.fround(valueAt(t, i)));

describe.each(vectors)("the vector “$name”", ({ shape, values, hex }) => {
  it.each([0, 1, 2, 3])("reads the same at byte offset %i of a larger buffer", (offset) => {
    const bytes = bytesOf(hex);
    const room = new Uint8Array(offset + bytes.length + 5).fill(0xaa);
    room.set(bytes, offset);
    const t = unpack(viewOf(room.subarray(offset, offset + bytes.length)));
    expect(t.shape).toEqual(shape);
    expect(t.data).toHaveLength(values.length);
    expect(valuesOf(t)).toEqual(values.map(Number));
  });
});

describe("unpack", () => {
  const good = bytesOf((vectors.find(({ name }) => name === "maps") as Vector).hex);

  it("has read vectors of every encoding", () => {
    expect(new Set(vectors.map(({ encoding }) => encoding))).toEqual(
      new Set(["quantised", "float16", "float32", "picture"]),
    );
  });

  it("counts maps and their values", () => {
    const t = unpack(viewOf(good));
    expect([mapCount(t), mapSize(t), t.low?.length]).toEqual([2, 12, 2]);
  });

  it("does not copy quantised data", () => {
    expect(unpack(viewOf(good)).data.buffer).toBe(good.buffer);
  });

  it("decodes every half-precision number", () => {
    const header = bytesOf("434e4e57020100000000010000".slice(0, 16));
    const bytes = new Uint8Array(12 + 2 * 65536);
    bytes.set(header);
    const view = viewOf(bytes);
    view.setUint32(8, 65536, true);
    for (let i = 0; i < 65536; i++) view.setUint16(12 + 2 * i, i, true);
    const { data } = unpack(view);
    expect(data[0x3555]).toBeCloseTo(1 / 3, 3);
    // Positive finite halves are in ascending order, without gaps of more than a factor two.
    for (let i = 1; i < 0x7c00; i++) {
      const [before, now] = [data[i - 1] as number, data[i] as number];
      expect(now > before && (now <= 2 * before || i < 2)).toBe(true);
      expect(data[i | 0x8000]).toBe(-now);
    }
    expect(data[0x7bff]).toBe(65504);
  });

  it.each([
    ["nothing", new Uint8Array(0)],
    ["a strange start", bytesOf("00".repeat(40))],
    ["an unknown encoding", Uint8Array.from(good, (byte, i) => (i === 4 ? 9 : byte))],
    ["a missing byte", good.slice(0, -1)],
    ["a byte too many", Uint8Array.from([...good, 0])],
    ["a header cut short", good.slice(0, 10)],
  ])("refuses %s", (_, bytes) => {
    expect(() => unpack(viewOf(bytes))).toThrow();
  });
});
