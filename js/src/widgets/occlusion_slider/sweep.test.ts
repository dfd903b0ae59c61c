import { describe, expect, test } from "vitest";
import { about, points, unitOf } from "./describe";
import {
  cellAt,
  cellsOf,
  placeOf,
  range,
  rowsAt,
  type Sweep,
  scoresOf,
  shownOf,
  steps,
} from "./sweep";

const odds = (p: number) => Math.log(p / (1 - p));

const bare = (logit: number, p: number) => ({ logit, log_odds: odds(p) });

/** 2 × 3 places of two classes; the last place was not tried. */
function sweepOf(changes: Partial<Sweep> = {}): Sweep {
  const logits = [
    [1, 2, 3, 4, 5, Number.NaN],
    [-1, -2, -3, -4, -5, Number.NaN],
  ];
  const chances = [
    [0.9, 0.8, 0.7, 0.6, 0.5, Number.NaN],
    [0.1, 0.2, 0.3, 0.4, 0.5, Number.NaN],
  ];
  return {
    key: 1,
    window: 4,
    stride: 2,
    fill: "mean",
    kept: [],
    rows: [0, 2],
    columns: [0, 2, 4],
    classes: [
      { index: 7, name: "cat", logit: 2, log_odds: odds(0.75), bare: bare(3, 0.8) },
      { index: 3, name: "dog", logit: -2, log_odds: odds(0.25), bare: bare(-3, 0.3) },
    ],
    done: 5,
    total: 6,
    method: "incremental",
    reason: null,
    share: 0.5,
    scores: {
      shape: [2, 2, 2, 3],
      encoding: "float",
      data: Float32Array.from([...logits.flat(), ...chances.flat().map(odds)]),
    },
    ...changes,
  };
}

describe("the scores of a sweep", () => {
  test("are those of a class and a measure", () => {
    const sweep = sweepOf();
    expect([...scoresOf(sweep, 1, "logit")]).toEqual([-1, -2, -3, -4, -5, Number.NaN]);
    expect(scoresOf(sweep, 0, "probability")[2]).toBeCloseTo(0.7);
    expect(scoresOf(sweep, 1, "log-odds")[4]).toBeCloseTo(0);
  });

  test("drop from what there is without the patch", () => {
    const drop = shownOf(sweepOf(), 0, "probability", "drop");
    expect(drop[3]).toBeCloseTo(0.15);
    expect(drop[0]).toBeCloseTo(-0.15);
    expect(drop[5]).toBeNaN();
  });

  test("are found again by their places", () => {
    const sweep = sweepOf();
    expect(cellAt(sweep, { row: 2, column: 2 })).toBe(4);
    expect(placeOf(sweep, 4)).toEqual({ row: 2, column: 2 });
    expect(cellAt(sweep, { row: 2, column: 4 })).toBe(-1);
    expect(cellAt(sweep, { row: 1, column: 0 })).toBe(-1);
  });

  test("stand in for the kernel", () => {
    const [cat, dog] = rowsAt(sweepOf(), 1);
    expect(cat).toMatchObject({ index: 7, name: "cat", logit: 2, logit_change: -1 });
    expect(dog?.probability).toBeCloseTo(0.2);
    expect(dog?.change).toBeCloseTo(-0.1);
  });

  test("have a range without what is not finite", () => {
    expect(range([3, Number.NaN, -1, Number.POSITIVE_INFINITY])).toEqual([-1, 3]);
    expect(range([Number.NaN])).toBeUndefined();
  });
});

describe("the cells", () => {
  const size = { height: 6, width: 8 };
  const line = (cells: Int32Array, row: number) => [...cells.slice(8 * row, 8 * row + 8)];

  test("are a stride wide, in the middle of their patches", () => {
    const cells = cellsOf(sweepOf(), size);
    expect(line(cells, 0)).toEqual(Array(8).fill(-1));
    expect(line(cells, 1)).toEqual([-1, 0, 0, 1, 1, 2, 2, -1]);
    expect(line(cells, 4)).toEqual([-1, 3, 3, 4, 4, 5, 5, -1]);
    expect(line(cells, 5)).toEqual(Array(8).fill(-1));
  });

  test("leave bare what no patch covered", () => {
    const cells = cellsOf(
      sweepOf({ window: 1, stride: 4, rows: [0, 4], columns: [0, 4, 8] }),
      size,
    );
    expect(line(cells, 0)).toEqual([0, -1, -1, -1, 1, -1, -1, -1]);
    expect(line(cells, 1)).toEqual(Array(8).fill(-1));
  });

  test("are counted as the kernel counts them", () => {
    expect(steps(28, 8, 2)).toBe(11);
    expect(steps(28, 8, 3)).toBe(8);
    expect(steps(8, 8, 5)).toBe(1);
  });
});

describe("words", () => {
  test.each([
    [-0.123, "−12.3 points"],
    [0.0034, "+0.34 points"],
    [0.00001, "± 0 points"],
    [0.5, "+50 points"],
    [null, ""],
  ])("of a change: %d", (change, words) => {
    expect(points(change)).toBe(words);
  });

  test.each([
    [0.2, "less than a second"],
    [2.1, "about 3 s"],
    [12.3, "about 10 s"],
    [13, "about 15 s"],
    [300, "about 5 min"],
    [7200, "about 2 h"],
  ])("of a duration: %d s", (seconds, words) => {
    expect(about(seconds)).toBe(words);
  });

  test("of a unit", () => {
    expect(unitOf("probability", true)).toEqual({ factor: 100, unit: "points" });
    expect(unitOf("probability", false).unit).toBe("%");
    expect(unitOf("logit", true).unit).toBe("");
  });
});
