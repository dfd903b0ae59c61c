import { describe, expect, test } from "vitest";
import { rectWords, seenBy, unitsThatSee } from "./brushing";
import {
  channelAt,
  colorSpan,
  extent,
  nextRange,
  ordered,
  rangeIn,
  rangesOf,
  union,
} from "./channels";
import { contributions, FIRST_SHOWN } from "./contributions";
import { channelScale, type LayerData, meanScale, remarks, zeroCentred } from "./data";
import { fieldWords, shortName, strapline, summary } from "./describe";
import { actionOf, HELP } from "./keyboard";
import { residual, small } from "./mock_graphs";
import type { Layer, LayerValue, View } from "./types";

// mean, min, max, std, zero, broken
const TABLE = [
  [1, 0, 3, 1, 0, 0],
  [5, -9, 6, 1, 1, 0],
  [Number.NaN, 0, 0, 0, 0, 1],
  [5, 1, 8, 1, 0.5, 0],
].flat();

describe("channels", () => {
  test.each([
    ["index", [0, 1, 2, 3]],
    ["mean", [1, 3, 0, 2]],
    ["max", [3, 1, 0, 2]],
    ["sparsity", [1, 3, 0, 2]],
  ] as const)("by %s", (by, order) => {
    expect(ordered(TABLE, 4, by)).toEqual(order);
  });

  test("are read by column", () => {
    expect(channelAt(TABLE, 1)).toEqual({ mean: 5, low: -9, high: 6, std: 1, zero: 1, broken: 0 });
  });

  test("share one range over the pictures", () => {
    const value = { low: -1, high: 2, network_low: -10, network_high: 20 } as LayerValue;
    const other = { ...value, high: 4 };
    const shown = [
      { value, table: TABLE },
      { value: other, table: [0, -20, 1, 0, 0, 0] },
    ];
    expect(colorSpan(shown, 0, "channel")).toEqual([-20, 3]);
    expect(colorSpan(shown, 0, "layer")).toEqual([-1, 4]);
    expect(colorSpan(shown, 0, "network")).toEqual([-10, 20]);
    expect(union([])).toEqual([0, 0]);
    expect(union([[Number.NaN, Number.POSITIVE_INFINITY]])).toEqual([0, 0]);
  });

  test("a map's own range is that of its finite values", () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    expect(extent(Float32Array.of(3, nan, 2, infinity))).toEqual([2, 3]);
    expect(extent([nan])).toEqual([0, 0]);
  });

  test("ranges follow one another; filters have none of the whole network", () => {
    const ranges = rangesOf("maps").map(([name]) => name);
    const next = (view: View) => ranges.map((range) => nextRange(view, range));
    expect(next("maps")).toEqual(["layer", "network", "channel"]);
    expect(next("filters")).toEqual(["layer", "channel", "channel"]);
    expect(rangesOf("filters").map(([name]) => name)).toEqual(["channel", "layer"]);
    expect(ranges.map((range) => rangeIn("filters", range))).toEqual(["channel", "layer", "layer"]);
  });
});

describe("layer data", () => {
  const value = {
    low: -1,
    high: 2,
    network_low: -10,
    network_high: 20,
    mean_low: -3,
    mean_high: 1,
  };
  const one = { value, table: TABLE } as unknown as LayerData;
  const other = { value: { ...value, high: 4 }, table: TABLE } as unknown as LayerData;
  test("is coloured about zero, on one scale for both pictures", () => {
    expect(channelScale([one, other], 1, "layer")).toEqual({
      low: -4,
      high: 4,
      table: "activations",
    });
    expect(channelScale([one], 1, "channel")).toEqual({ low: -9, high: 9, table: "activations" });
    expect(meanScale([one], "layer")).toMatchObject({ low: -3, high: 3 });
    expect(meanScale([one], "network")).toMatchObject({ low: -20, high: 20 });
    expect(zeroCentred([-1, 3], "weights")).toEqual({ low: -3, high: 3, table: "weights" });
  });
  test("has remarks on empty and broken channels, on each picture's where they differ", () => {
    expect([0, 1, 2, 3].map((channel) => remarks([one], channel))).toEqual([
      [""],
      ["zero here"],
      ["NaN or ∞"],
      [""],
    ]);
    const broken = { ...one, table: TABLE.map(() => 0.5) } as unknown as LayerData;
    const alive = { ...one, table: TABLE.slice(0, 6).concat(TABLE.slice(0, 6)) } as LayerData;
    expect(remarks([one, broken], 1)).toEqual(["zero here", "NaN or ∞"]);
    expect(remarks([alive, one], 1)).toEqual(["", "zero here"]);
    expect(remarks([one, one], 1)).toEqual(["zero here"]);
  });
});

describe("brushing", () => {
  const rows = [0, 2, 1, 4, 3, 6];
  const columns = [0, 3, 3, 6];
  test("from a unit to its pixels", () => {
    expect(seenBy(rows, columns, 1, 1)).toEqual({ top: 1, bottom: 4, left: 3, right: 6 });
    expect(seenBy(rows, columns, 3, 0)).toBeNull();
    expect(seenBy([], [], 0, 0)).toBeNull();
    expect(seenBy([0, 0], columns, 0, 0)).toBeNull();
  });
  test("from a pixel to its units", () => {
    expect(unitsThatSee(rows, columns, 3, 2)).toEqual({ top: 1, bottom: 3, left: 0, right: 1 });
    expect(unitsThatSee(rows, columns, 9, 2)).toBeNull();
  });
  test("both ways agree", () => {
    for (let row = 0; row < 6; row++)
      for (let column = 0; column < 6; column++) {
        const units = unitsThatSee(rows, columns, row, column);
        for (let r = 0; r < 3; r++)
          for (let c = 0; c < 2; c++) {
            const field = seenBy(rows, columns, r, c);
            const sees =
              !!field &&
              field.top <= row &&
              row < field.bottom &&
              field.left <= column &&
              column < field.right;
            const listed =
              !!units && units.top <= r && r < units.bottom && units.left <= c && c < units.right;
            expect(listed).toBe(sees);
          }
      }
  });
  test("in words", () => {
    expect(rectWords({ top: 0, bottom: 1, left: 3, right: 6 })).toBe("row 0, columns 3–5");
  });
});

describe("contributions", () => {
  const sums = [1, -5, 2, 3, 0.5, 4, -0.1, 6];
  test("the largest first, with a running total", () => {
    const shown = contributions(sums, false);
    expect(shown.map(({ index }) => index)).toEqual([7, 1, 5, 3, 2, 0]);
    expect(shown).toHaveLength(FIRST_SHOWN);
    expect(shown[1]?.running).toBe(1);
  });
  test("all in their own order end at the sum", () => {
    const shown = contributions(sums, true);
    expect(shown.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(shown.at(-1)?.running).toBeCloseTo(11.4, 12);
  });
  test("few stay in their order", () => {
    expect(contributions([1, 9], false).map(({ index }) => index)).toEqual([0, 1]);
  });
});

describe("words", () => {
  test("of a convolution", () => {
    expect(summary(small.layers[0] as Layer, small.input)).toBe(
      "conv1 · convolution 3×3, stride 1 · 32×26×26 · 320 parameters · each unit sees 3×3 input pixels",
    );
  });
  test("of the strip's second line", () => {
    const [conv, relu] = small.layers as [Layer, Layer];
    const dropout = { ...relu, kind: "dropout", detail: "Dropout2d, p 0.3" };
    expect([conv, relu, dropout].map(strapline)).toEqual([
      "320 parameters",
      "activation ReLU",
      "Dropout2d",
    ]);
  });
  test("of a vector", () => {
    expect(summary(small.layers[6] as Layer, small.input)).toContain(
      "each unit sees the whole picture",
    );
  });
  test("of a receptive field beyond the picture", () => {
    const [first] = small.layers as [Layer];
    const wide = { ...first, rf: { size: [212, 40], jump: [8, 8], start: [0, 0] } } as Layer;
    expect(fieldWords(wide, small.input)).toBe(
      "212×40 input pixels, larger than the picture (28×28)",
    );
    const all = (size: number) => ({ ...first, rf: { ...wide.rf, size: [size, size] } }) as Layer;
    expect(fieldWords(all(55), small.input)).toBe("the whole picture (55×55)");
    expect(fieldWords(all(54), small.input)).toContain("54×54 input pixels, larger");
  });
  test("of one that failed", () => {
    const failed = { ...(small.layers[0] as Layer), shape: null };
    expect(summary(failed, small.input)).toBe("conv1 · convolution 3×3, stride 1 · 320 parameters");
  });
  test("names lose the block that stands above them", () => {
    expect(residual(1).layers.slice(0, 3).map(shortName)).toEqual(["conv1", "relu", "conv1"]);
  });
});

describe("keys", () => {
  const press = (key: string, tag = "DIV", more = {}) =>
    actionOf({ key, ctrlKey: false, metaKey: false, altKey: false, ...more }, tag);
  test("have meanings", () => {
    expect(press("PageDown")).toBe("nextLayer");
    expect(press("?")).toBe("help");
    expect(press("x")).toBeUndefined();
  });
  test("keep their own meaning in fields, on buttons, with modifiers", () => {
    expect(press("p", "INPUT")).toBeUndefined();
    expect(press("Escape", "INPUT")).toBe("back");
    expect(press("Enter", "BUTTON")).toBeUndefined();
    expect(press("c", "DIV", { ctrlKey: true })).toBeUndefined();
  });
  test("are all in the help", () => {
    const listed = HELP.map(([keys]) => keys).join(" ");
    for (const key of ["←", "→", "Page Up", "Page Down", "Enter", "Esc", "/", "p", "c", "?"])
      expect(listed).toContain(key);
  });
});
