import { describe, expect, test } from "vitest";
import { pack } from "../../shared/packing";
import { unpack } from "../../shared/wire";
import type { Part, Reduction } from "./types";
import { isSigned, likeness, limitOf, reduced, signedWay, similarity } from "./values";

const map = unpack(pack([3, -1, Number.NaN, -4, 2, 1], [2, 1, 3], 3));

describe("channels become one value", () => {
  test.each<[Reduction, Part, number, number]>([
    ["max_abs", "all", 4, 2],
    ["max_abs", "positive", 3, 2],
    ["max_abs", "negative", 4, 1],
    ["mean_abs", "all", 3.5, 1.5],
    ["l2", "all", 5, Math.sqrt(5)],
    ["sum", "all", -1, 1],
    ["sum", "absolute", 7, 3],
    ["sum", "positive", 3, 2],
    ["sum", "negative", -4, -1],
    ["mean", "all", -0.5, 0.5],
  ])("%s of %s", (reduction, part, first, second) => {
    const [a, b, c] = reduced(map, reduction, part, false);
    expect(a).toBeCloseTo(first);
    expect(b).toBeCloseTo(second);
    expect(c).toBeNaN();
  });

  test("a map without channels keeps its sign", () => {
    const flat = unpack(pack([3, -1], [1, 1, 2], 3));
    expect([...reduced(flat, "max_abs", "all", true)]).toEqual([3, -1]);
    expect([...reduced(flat, "max_abs", "absolute", true)]).toEqual([3, 1]);
  });

  test("of some of the maps", () => {
    expect(reduced(map, "sum", "all", false, 1, 1)[0]).toBe(-4);
  });

  test("signs", () => {
    expect(isSigned("sum", "all", false)).toBe(true);
    expect(isSigned("sum", "negative", false)).toBe(true);
    expect(isSigned("sum", "positive", false)).toBe(false);
    expect(isSigned("max_abs", "all", false)).toBe(false);
    expect(isSigned("max_abs", "all", true)).toBe(true);
  });
});

test("percentiles are NumPy's, of magnitudes, without what is not measured", () => {
  const values = Float32Array.of(-4, 1, 2, 3, Number.NaN);
  expect(limitOf(values, 100)).toBe(4);
  expect(limitOf(values, 50)).toBe(2.5);
  expect(limitOf(values, 90)).toBeCloseTo(3.7);
  expect(limitOf(Float32Array.of(Number.NaN), 99)).toBe(0);
});

test("likeness is Spearman's, ties share a rank", () => {
  const one = Float32Array.of(1, 2, 2, 9, Number.NaN);
  const other = Float32Array.of(2, 1, 5, 6, 3);
  expect(similarity(one, other)).toBeCloseTo(0.632456, 5);
  expect(similarity(one, one)).toBeCloseTo(1);
  expect(similarity(one, new Float32Array(5))).toBeNaN();
});

test("likeness is told of sizes and of signs, anew for every other map", () => {
  const [one, other, third] = [
    [1, -2, 3, -4],
    [-1, 2, -3, 4],
    [4, 3, 2, 1],
  ].map((values) => unpack(pack(values, [1, 1, 4], 3)));
  if (!one || !other || !third) throw Error("three maps");
  expect(likeness(one, other, true, true)).toEqual({ sizes: 1, signed: -1 });
  expect(likeness(one, other, true, true).sizes).toBe(1);
  expect(likeness(third, other, true, true)).toEqual({ sizes: -1, signed: expect.closeTo(-0.4) });
  expect(likeness(one, third, true, false)).toEqual({ sizes: -1, signed: undefined });
});

test("only sums and means keep the sign of channels", () => {
  expect(["max_abs", "mean", "l2", "sum"].map((way) => signedWay(way as Reduction))).toEqual([
    "sum",
    "mean",
    "sum",
    "sum",
  ]);
});
