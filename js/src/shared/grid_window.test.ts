import { describe, expect, it } from "vitest";
import { gridMove, gridWindow, rowInSlot } from "./grid_window";
import { TILE } from "./look";

const pitch = 72 + TILE.caption + TILE.gap;

describe("gridWindow", () => {
  it("keeps a bounded number of rows, always with those on screen, wherever it is scrolled", () => {
    for (let top = 0; top < 20_000; top += 37) {
      const view = gridWindow(800, 500, top, 72, 2048);
      expect(view.columns).toBe(10);
      expect(view.kept).toBeLessThanOrEqual(Math.ceil(500 / pitch) + 1 + 2 * TILE.overscan);
      const last = Math.min(view.rows, Math.ceil((top + 500) / pitch));
      expect(view.first).toBeLessThanOrEqual(Math.min(Math.floor(top / pitch), view.rows - 1));
      expect(view.first + view.kept).toBeGreaterThanOrEqual(last);
      expect(view.to).toBeLessThanOrEqual(2048);
    }
  });

  it("holds everything that is small, and nothing before it is laid out", () => {
    expect(gridWindow(800, 500, 0, 72, 7)).toMatchObject({
      rows: 1,
      first: 0,
      kept: 1,
      from: 0,
      to: 7,
    });
    expect(gridWindow(0, 0, 0, 72, 64)).toMatchObject({ kept: 0, to: 0 });
    expect(gridWindow(800, 500, 0, 72, 0)).toMatchObject({ rows: 0, kept: 0, from: 0, to: 0 });
    expect(gridWindow(30, 500, 0, 72, 5).columns).toBe(1);
    expect(gridWindow(800, 500, 0, 72, 64, 36).pitch).toBe(
      gridWindow(800, 500, 0, 72, 64).pitch - 36,
    );
  });

  it("lets a row stay in its slot while it is kept", () => {
    const slotOf = (row: number, top: number) => {
      const view = gridWindow(800, 500, top, 72, 2048);
      return Array.from({ length: view.kept }, (_, slot) => rowInSlot(slot, view)).indexOf(row);
    };
    const slots = [20, 21, 22].map((row) => slotOf(row, 20 * pitch));
    expect(new Set(slots).size).toBe(3);
    expect([20, 21, 22].map((row) => slotOf(row, 21 * pitch))).toEqual(slots);
  });
});

it.each([
  ["ArrowRight", 9, 10],
  ["ArrowLeft", 0, 0],
  ["ArrowDown", 3, 13],
  ["ArrowDown", 27, 27],
  ["ArrowUp", 13, 3],
  ["ArrowUp", 3, 3],
  ["ArrowRight", 27, 27],
  ["Home", 20, 0],
  ["End", 3, 27],
  ["PageDown", 3, undefined],
])("%s leads from %i to %s", (key, at, to) => {
  expect(gridMove(key, at, 10, 28)).toBe(to);
});
