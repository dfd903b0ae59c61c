import { describe, expect, test } from "vitest";
import { percentiles, shownWith, stretches } from "./contrast";

const even = (low: number, high: number, length = 5000) =>
  ({ data: Uint8Array.from({ length }, (_, i) => low + ((i * 7) % (high - low + 1))) }) as const;

const [WIDE, DARK, FAINT] = [[0, 200] as const, [20, 60] as const, [126, 128] as const];
const awake = (values: readonly [number, number]) => [values, false] as const;

/** What CSS makes of a value. */
function filtered(filter: string, value: number): number {
  const [bright = 0, contrast = 0] = [...filter.matchAll(/\(([\d.e-]+)\)/g)].map(([, x]) =>
    Number(x),
  );
  const one = Math.min(1, (value / 255) * bright);
  return 255 * Math.min(1, Math.max(0, (one - 0.5) * contrast + 0.5));
}

describe("contrast", () => {
  test("percentiles leave out single values", () => {
    const { data } = even(20, 60);
    data[3] = 255;
    expect(percentiles({ data })).toEqual([20, 60]);
    expect(percentiles({ data: new Uint8Array(300_000).fill(9) })).toEqual([9, 9]);
  });

  test("few levels are stretched over the whole range, and said", () => {
    const { filter = "", words } = shownWith([20, 60], true);
    expect(words).toBe("values 20 … 60 of 255, stretched");
    expect(filtered(filter, 20)).toBeCloseTo(0);
    expect(filtered(filter, 40)).toBeCloseTo(127.5);
    expect(filtered(filter, 60)).toBeCloseTo(255);
  });

  test("one level is left alone", () =>
    expect(shownWith([9, 9], true)).toEqual({ filter: undefined, words: "values 9 … 9 of 255" }));

  test("what fills half of the range is left alone, alike for all", () => {
    expect(shownWith(WIDE, false)).toEqual({
      filter: undefined,
      words: "values 0 … 200 of 255",
    });
    expect(stretches("automatic", [awake(WIDE)])).toEqual([false]);
    expect(stretches("automatic", [awake(WIDE), awake(DARK)])).toEqual([true, true]);
    expect(stretches("stretched", [awake(WIDE)])).toEqual([true]);
    expect(stretches("as it is", [awake(DARK)])).toEqual([false]);
  });

  test("what is no more than the noise of a start is no pattern", () => {
    expect(stretches("automatic", [awake(FAINT)])).toEqual([false]);
    expect(stretches("automatic", [awake(FAINT), awake(DARK)])).toEqual([false, true]);
    expect(stretches("automatic", [awake(FAINT), awake(WIDE)])).toEqual([false, false]);
    expect(stretches("stretched", [awake(FAINT)])).toEqual([true]);
  });

  test("what nothing moves is shown as it is", () => {
    expect(stretches("automatic", [[DARK, true]])).toEqual([false]);
    expect(stretches("automatic", [[DARK, true], awake(DARK)])).toEqual([false, true]);
    expect(stretches("stretched", [[DARK, true]])).toEqual([true]);
  });
});
