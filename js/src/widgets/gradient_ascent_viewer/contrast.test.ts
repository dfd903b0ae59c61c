import { describe, expect, test } from "vitest";
import { percentiles, shownWith, stretches } from "./contrast";

const even = (low: number, high: number, length = 5000) =>
  ({ data: Uint8Array.from({ length }, (_, i) => low + ((i * 7) % (high - low + 1))) }) as const;

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
    expect(shownWith([0, 200], stretches("automatic", [[0, 200]]))).toEqual({
      filter: undefined,
      words: "values 0 … 200 of 255",
    });
    expect(
      stretches("automatic", [
        [0, 200],
        [20, 60],
      ]),
    ).toBe(true);
    expect(stretches("stretched", [[0, 200]])).toBe(true);
    expect(stretches("as it is", [[20, 60]])).toBe(false);
  });
});
