import { describe, expect, test } from "vitest";
import type { Tensor } from "../../shared/wire";
import { coarseToFine, Film, pictureOf } from "./film";
import { panel } from "./mock_kernel";

const PANELS = [panel(0, "a"), panel(1, "b")];
const EACH = 2 * 2 * 3;

const still = (step: number, level = step) => ({
  step,
  pictures: {
    shape: [2, 2, 1, 3],
    encoding: "picture" as const,
    data: Uint8Array.from({ length: EACH }, (_, i) => level + i),
  },
  predictions: [],
  complement: [],
});

const numbers = (...rows: number[][]): Tensor => ({
  shape: [3, (rows[0]?.length ?? 0) / PANELS.length, PANELS.length],
  encoding: "float",
  data: Float32Array.from(rows.flat()),
});

const steps = (film: Film) => film.stills.map(({ step }) => step);

describe("pictures", () => {
  test("are held by step, whichever order they come in", () => {
    const film = new Film(1, PANELS, 1e6);
    for (const step of [4, 0, 9]) film.add(still(step));
    film.add(still(4, 100));
    expect(steps(film)).toEqual([0, 4, 9]);
    expect(film.bytes).toBe(3 * EACH);
    expect(film.near(4)?.pictures.data[0]).toBe(100);
    expect(film.has(4)).toBe(true);
    expect(film.has(5)).toBe(false);
    expect(film.last).toBe(9);
  });

  test("of a step between are the nearest", () => {
    const film = new Film(1, PANELS, 1e6);
    expect(film.near(3)).toBeUndefined();
    for (const step of [2, 6]) film.add(still(step));
    expect([0, 2, 4, 5, 6, 99].map((step) => film.near(step)?.step)).toEqual([2, 2, 2, 6, 6, 6]);
  });

  test("are thinned evenly once there is no room; the first and the newest stay", () => {
    const film = new Film(1, PANELS, 9 * EACH);
    for (let step = 0; step <= 64; step++) film.add(still(step));
    const held = steps(film);
    expect(held.length).toBe(9);
    expect(film.bytes).toBe(9 * EACH);
    expect([held[0], held.at(-1)]).toEqual([0, 64]);
    const gaps = held.slice(1).map((step, i) => step - (held[i] as number));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(16);
  });

  test("are told apart by panel", () => {
    expect([...pictureOf(still(0), 1).data]).toEqual([6, 7, 8, 9, 10, 11]);
    expect(pictureOf(still(0), 1).shape).toEqual([2, 1, 3]);
  });
});

describe("numbers", () => {
  test("come in pieces", () => {
    const film = new Film(1, PANELS, 1e6);
    film.measure(0, numbers([1, 10], [2, 20], [0, 0]));
    film.measure(1, numbers([3, 30, 5, 50], [4, 40, 6, 60], [7, 70, 8, 80]));
    expect(film.length).toBe(3);
    expect([0, 1, 2].map((step) => film.score(step, 1))).toEqual([10, 30, 50]);
    expect([0, 1, 2].map((step) => film.norm(step, 0))).toEqual([2, 4, 6]);
    expect([1, 2].map((step) => film.tv(step, 1))).toEqual([70, 80]);
    expect(film.score(3, 0)).toBeNaN();
    expect(film.torn).toBe(false);
  });

  test("that were missed are not zero, and the film says so until all are there", () => {
    const film = new Film(1, PANELS, 1e6);
    film.measure(2, numbers([1, 2], [3, 4]));
    expect(film.torn).toBe(true);
    expect(film.score(0, 0)).toBeNaN();
    film.measure(3, numbers([1, 2], [3, 4]));
    expect(film.torn).toBe(true);
    film.measure(0, numbers([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8]));
    expect(film.torn).toBe(false);
    expect(film.score(0, 1)).toBe(2);
  });

  test("of a picture that has ended are those of its last step", () => {
    const film = new Film(1, PANELS, 1e6);
    film.measure(0, numbers([1, 10, 2, Number.NaN, 3, Number.NaN], [0, 0, 0, 0, 0, 0]));
    expect([0, 1].map((one) => film.measuredAt(2, one))).toEqual([2, 0]);
    expect(film.measuredAt(9, 0)).toBe(2);
  });

  test("of another number of pictures are not taken", () => {
    const film = new Film(1, [panel(0, "a")], 1e6);
    film.measure(0, numbers([1, 2], [3, 4]));
    expect(film.length).toBe(0);
  });
});

test("steps are asked for by halves, the last and the first before all", () => {
  expect(coarseToFine([0, 1, 2, 3, 4, 5, 6, 7, 8])).toEqual([8, 0, 4, 2, 6, 1, 3, 5, 7]);
  expect(coarseToFine([])).toEqual([]);
  expect(coarseToFine([5])).toEqual([5]);
});
