import { expect, it } from "vitest";
import { bytes, count, exact, number, percent, shape } from "./format";

it.each([
  [0, "0"],
  [-0, "0"],
  [0.0123456, "0.01235"],
  [-12.3456, "−12.35"],
  [0.5, "0.5"],
  [1234.56, "1,235"],
  [123456, "123,500"],
  [-1.23456e-7, "−1.235e−7"],
  [9.9999e-5, "1.000e−4"],
  [3.4e38, "3.400e38"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "∞"],
  [Number.NEGATIVE_INFINITY, "−∞"],
])("writes %f with four digits as %s", (x, text) => {
  expect(number(x)).toBe(text);
});

it("writes a float32 with just the digits that tell it from its neighbours", () => {
  expect(exact(Math.fround(0.1))).toBe("0.1");
  expect(exact(Math.fround(-1 / 3))).toBe("−0.33333334");
  expect(exact(0)).toBe("0");
  expect(exact(Number.NaN)).toBe("NaN");
  const bits = new Uint32Array(1);
  const float = new Float32Array(bits.buffer);
  for (let i = 1; i < 200; i++) {
    bits[0] = Math.imul(i, 2654435761) >>> 0;
    const x = float[0] as number;
    if (Number.isFinite(x)) expect(Math.fround(Number(exact(x).replace(/−/g, "-")))).toBe(x);
  }
});

it("writes counts, shapes, sizes and shares", () => {
  expect([count(1792), count(0), count(138357544)]).toEqual(["1,792", "0", "138,357,544"]);
  expect([shape([64, 224, 224]), shape([10]), shape([])]).toEqual(["64×224×224", "10", "scalar"]);
  expect([bytes(999), bytes(12345), bytes(5e7), bytes(2e12)]).toEqual([
    "999 B",
    "12.3 kB",
    "50 MB",
    "2,000 GB",
  ]);
  expect([
    percent(0.36248),
    percent(1),
    percent(0.001068),
    percent(0.0002),
    percent(1.25),
    percent(0.000012),
    percent(0),
  ]).toEqual(["36.2 %", "100 %", "0.11 %", "0.02 %", "125 %", "< 0.01 %", "0 %"]);
});
