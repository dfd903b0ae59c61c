import { expect, test } from "vitest";
import { pathOf, rangeOf, smoothed, thinned } from "./plot";

const { NaN: missing, POSITIVE_INFINITY: infinite } = Number;

test("ranges are of finite numbers, and never empty", () => {
  expect(rangeOf([3, missing, -1, infinite])).toEqual([-1, 3]);
  expect(rangeOf([4, 4])).toEqual([2, 6]);
  expect(rangeOf([0, 0])).toEqual([0, 1]);
  expect(rangeOf([missing])).toEqual([0, 1]);
});

test("thin lines keep every column's lowest and highest number, and gaps", () => {
  const values = Array.from({ length: 1000 }, (_, i) => Math.sin(i));
  values[137] = 50;
  values[638] = -50;
  values[800] = missing;
  const kept = thinned((step) => values[step] as number, 1000, 50);
  expect(kept.length).toBeLessThanOrEqual(101);
  expect(kept).toEqual([...kept].sort((a, b) => a - b));
  for (const step of [137, 638, 800]) expect(kept).toContain(step);
  expect(thinned((step) => step, 5, 50)).toEqual([0, 1, 2, 3, 4]);
});

test("a path is broken where nothing was measured", () => {
  const values = [1, 2, missing, 4, 5];
  const path = pathOf([0, 1, 2, 3, 4], (i) => values[i] as number, Number, Number);
  expect(path).toBe("M0.0 1.0L1.0 2.0M3.0 4.0L4.0 5.0");
});

test("a smoothed line is the mean around each step, and has the same gaps", () => {
  const values = [0, 6, 0, 6, missing, 8, infinite];
  const mean = smoothed((step) => values[step] ?? missing, 1);
  expect([1, 2].map(mean)).toEqual([2, 4]);
  expect(mean(4)).toBeNaN();
  expect(smoothed(() => 7, 3)(2)).toBe(7);
});

test("a smoothed line begins, ends and breaks off where the raw one does", () => {
  const values = [9, 1, 2, 3, missing, 5, 40];
  const mean = smoothed((step) => values[step] ?? missing, 8);
  for (const step of [0, 6]) expect(mean(step)).toBe(values[step]);
  expect(smoothed((step) => (step in values ? step : missing), 8)(1)).toBe(1);
  expect(mean(1)).toBe(4); // of three
});
