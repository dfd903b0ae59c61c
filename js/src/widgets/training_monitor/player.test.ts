import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import { playedOf } from "./player";

/** How long a run is played at the usual speed (s). */
function seconds(last: number, rows: number): number {
  const stops = signal(Array.from({ length: rows }, (_, row) => row));
  const span = signal([0, last] as const);
  const { range, pace } = playedOf({ span, stops, step: signal(0), goNear: () => {} });
  const [first, end] = range();
  return (end - first) / pace();
}

test("recorded rows are played four a second, few of them in 15 s, many in a minute", () => {
  expect(seconds(6000, 100)).toBe(25);
  expect(seconds(100_000, 200)).toBe(50);
  expect(seconds(600, 4)).toBe(15);
  expect(seconds(6000, 6000)).toBe(60);
  expect(seconds(8, 4)).toBe(2); // a short run has no more to show
});
