import { describe, expect, it } from "vitest";
import { colors, cssColor, ink, paint, paintPicture, symmetric, type Table } from "./color";
import { NAN, NEGATIVE_INFINITY, POSITIVE_INFINITY } from "./look";
import type { Tensor } from "./wire";

const TABLES: Table[] = ["activations", "weights", "sequential", "grey"];
const channels = (word: number) => [word & 255, (word >> 8) & 255, (word >> 16) & 255] as const;
const hexWord = (hex: string) => {
  const [r, g, b] = [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)) as [
    number,
    number,
    number,
  ];
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
};
const floats = (...values: number[]): Tensor => ({
  shape: [1, values.length],
  encoding: "float",
  data: Float32Array.from(values),
});

/** CIE L*a*b*, by another way than the tables were made. */
function lab(word: number): [number, number, number] {
  const [r, g, b] = channels(word).map((c) => {
    const x = c / 255;
    return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const f = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : (t * 24389) / 27 / 116 + 16 / 116);
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
const distance = (p: number, q: number) => {
  const [a, b] = [lab(p), lab(q)];
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
};

/** What somebody without red (protan) or green (deutan) cones sees: Viénot, Brettel and Mollon (1999). */
function dichromat(word: number, kind: "protan" | "deutan"): number {
  const [r, g, b] = channels(word).map((c) => (c / 255) ** 2.2) as [number, number, number];
  const [x, y, z] =
    kind === "protan"
      ? [0.11238 * r + 0.88762 * g, 0.11238 * r + 0.88762 * g, 0.00401 * (r - g) + b]
      : [0.29275 * r + 0.70725 * g, 0.29275 * r + 0.70725 * g, -0.02234 * (r - g) + b];
  const [R, G, B] = [x, y, z].map((c) =>
    Math.round(255 * Math.min(1, Math.max(0, c)) ** (1 / 2.2)),
  ) as [number, number, number];
  return ((255 << 24) | (B << 16) | (G << 8) | R) >>> 0;
}

describe.each(TABLES)("the table of %s", (table) => {
  const lut = colors(table);
  it("has 256 opaque colours and even steps", () => {
    expect(lut).toHaveLength(256);
    const steps = Array.from({ length: 255 }, (_, i) =>
      distance(lut[i] as number, lut[i + 1] as number),
    );
    const mean = steps.reduce((a, b) => a + b) / 255;
    expect(Math.max(...steps)).toBeLessThan(3 * mean);
    for (const word of lut) expect(word >>> 24).toBe(255);
  });

  it("keeps clear of the colours of NaN and the infinities", () => {
    for (const special of [NAN, POSITIVE_INFINITY, NEGATIVE_INFINITY].map(hexWord))
      for (const word of lut) expect(distance(word, special)).toBeGreaterThan(20);
  });
});

describe.each(["activations", "weights"] as Table[])("the diverging table of %s", (table) => {
  const lut = colors(table);
  it("is neutral in the middle and darkens evenly to both ends", () => {
    const [L, a, b] = lab(lut[128] as number);
    expect(L).toBeGreaterThan(90);
    expect(Math.hypot(a, b)).toBeLessThan(4);
    for (let i = 1; i < 128; i++) {
      const light = (k: number) => lab(lut[k] as number)[0];
      expect(light(128 + i)).toBeLessThanOrEqual(light(127 + i) + 0.3);
      expect(light(128 - i)).toBeLessThanOrEqual(light(129 - i) + 0.3);
      expect(Math.abs(light(128 + i) - light(128 - i))).toBeLessThan(8);
    }
  });

  it.each(["protan", "deutan"] as const)("tells the signs apart for %s eyes", (kind) => {
    for (const i of [40, 70, 100])
      expect(
        distance(dichromat(lut[128 + i] as number, kind), dichromat(lut[128 - i] as number, kind)),
      ).toBeGreaterThan(15);
  });
});

it("has one light to dark order in the sequential table, and exact greys", () => {
  const light = Array.from(colors("sequential"), (word) => lab(word)[0]);
  for (let i = 1; i < 256; i++)
    expect(light[i] as number).toBeGreaterThan((light[i - 1] as number) - 0.2);
  expect(Array.from(colors("grey"), (word) => channels(word)[1])).toEqual(
    Array.from({ length: 256 }, (_, i) => i),
  );
});

describe("paint", () => {
  const painted = (t: Tensor, scale: Parameters<typeof paint>[2], map = 0) => {
    const data = new Uint8ClampedArray(4 * (t.shape.at(-1) as number) * (t.shape.at(-2) as number));
    paint(t, map, scale, { data } as unknown as ImageData);
    return new Uint32Array(data.buffer);
  };
  const around = { low: -2, high: 2, table: "activations" } as const;
  const specials = [NAN, POSITIVE_INFINITY, NEGATIVE_INFINITY].map(hexWord);

  it("puts the ends, zero, and what is beyond the range where they belong", () => {
    const lut = colors("activations");
    expect([...painted(floats(-2, 0, 2, -9, 9), around)]).toEqual(
      [0, 128, 255, 0, 255].map((i) => lut[i]),
    );
  });

  it("gives NaN and the infinities their own colours, in both encodings", () => {
    expect([
      ...painted(floats(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY), around),
    ]).toEqual(specials);
    const codes: Tensor = {
      shape: [1, 3],
      encoding: "quantised",
      data: Uint8Array.of(255, 254, 253),
      low: Float32Array.of(0),
      high: Float32Array.of(0),
    };
    expect([...painted(codes, around)]).toEqual(specials);
  });

  it("paints a quantised map as its values", () => {
    const codes: Tensor = {
      shape: [2, 1, 253],
      encoding: "quantised",
      data: Uint8Array.from({ length: 506 }, (_, i) => i % 253),
      low: Float32Array.of(-1, -3),
      high: Float32Array.of(1, 0.5),
    };
    const values = floats(...Array.from({ length: 253 }, (_, i) => -3 + (i * 3.5) / 252));
    const lut = colors("activations");
    const place = (word: number) => lut.indexOf(word);
    const [coded, plain] = [painted(codes, around, 1), painted(values, around)];
    // Values on the border of two colours may fall to either side.
    for (const [i, word] of coded.entries())
      expect(Math.abs(place(word) - place(plain[i] as number))).toBeLessThanOrEqual(1);
    expect([coded[0], coded[252]]).toEqual([plain[0], plain[252]]);
    expect(painted(codes, around, 0)).not.toEqual(painted(values, around));
  });

  it("is neutral where there is no range", () => {
    const none = { low: 0, high: 0 };
    expect([...painted(floats(0, 0), { ...none, table: "weights" })]).toEqual(
      Array(2).fill(colors("weights")[128]),
    );
    expect(painted(floats(0), { ...none, table: "sequential" })[0]).toBe(colors("sequential")[0]);
  });

  it("writes one value as a CSS colour", () => {
    const [r, g, b] = channels(colors("activations")[255] as number);
    expect(cssColor(2, around)).toBe(`rgb(${r} ${g} ${b})`);
  });
});

it("paints pictures, colour and grey", () => {
  const data = new Uint8ClampedArray(8);
  const out = { data } as unknown as ImageData;
  paintPicture(
    { shape: [1, 2, 3], encoding: "picture", data: Uint8Array.of(1, 2, 3, 250, 251, 252) },
    out,
  );
  expect([...data]).toEqual([1, 2, 3, 255, 250, 251, 252, 255]);
  for (const shape of [
    [1, 2],
    [1, 2, 1],
  ]) {
    paintPicture({ shape, encoding: "picture", data: Uint8Array.of(7, 200) }, out);
    expect([...data]).toEqual([7, 7, 7, 255, 200, 200, 200, 255]);
  }
});

it("makes ranges zero-centred", () => {
  expect(symmetric(-1, 3)).toEqual({ low: -3, high: 3 });
  expect(symmetric(-4, -2)).toEqual({ low: -4, high: 4 });
});

describe.each(TABLES)("what is written on the table of %s", (table) => {
  it("stands out at least 4.5 to 1 on every colour, and on those of no numbers", () => {
    const scale = { low: 0, high: 255, table };
    const values = [...Array(256).keys(), Number.NaN, Infinity, -Infinity];
    for (const value of values) {
      const ratio = contrast(cssColor(value, scale), ink(value, scale));
      expect(ratio, `${value}`).toBeGreaterThanOrEqual(4.5);
    }
  });
});

/** The ratio of the Web Content Accessibility Guidelines between "rgb(r g b)" and black or white. */
function contrast(ground: string, text: "#000" | "#fff"): number {
  const [r, g, b] = (ground.match(/\d+/g) ?? []).map((byte) => {
    const x = Number(byte) / 255;
    return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return text === "#fff" ? 1.05 / (luminance + 0.05) : (luminance + 0.05) / 0.05;
}
