// What the map shows now, ready to be drawn and explained.
import { computed, type ReadonlySignal } from "@preact/signals";
import { type Scale, symmetric } from "../../shared/color";
import { legendWords, measureWords, unitOf } from "./describe";
import type { State } from "./state";
import { baseline, cellsOf, classAt, range, type Sweep, shownOf } from "./sweep";
import type { SweptClass } from "./types";

export interface Shown {
  sweep: Sweep;
  cells: Int32Array;
  /** In the unit of the legend. */
  values: Float64Array;
  scale: Scale;
  caption: string;
  unit: string;
  /** The measure without the moving patch, and of the untouched picture, in the unit of the legend. */
  bare: number;
  untouched: number;
  /** Where on the scale the first is, 0 to 1. */
  mark: number;
  /** Whether all of the picture that a patch covered was measured. */
  whole: boolean;
}

export function mapOf(state: State): ReadonlySignal<Shown | null> {
  const { sweep, target, measure, measures, shows, size, single } = state;
  const cells = computed(() => sweep.value && cellsOf(sweep.value, size.value));
  return computed(() => {
    const at = sweep.value ? classAt(sweep.value, target.value) : -1;
    if (!sweep.value || !cells.value || at < 0) return null;
    const one = sweep.value.classes[at] as SweptClass;
    const drop = shows.value === "drop";
    const { factor, unit } = unitOf(measure.value, drop);
    const values = shownOf(sweep.value, at, measure.value, shows.value).map((x) => factor * x);
    const bare = factor * baseline(one, measure.value);
    const [low, high] = range([...values, drop ? 0 : bare]) ?? [0, 0];
    const scale: Scale = drop
      ? { ...symmetric(low, high), table: "activations" }
      : { low, high, table: "sequential" };
    const words = measureWords(measure.value, measures.value);
    return {
      sweep: sweep.value,
      cells: cells.value,
      values,
      scale,
      caption: legendWords(one.name, words, drop, single.value, sweep.value.kept.length),
      unit,
      bare,
      untouched: factor * baseline(one.bare, measure.value),
      mark: high > low ? ((drop ? 0 : bare) - scale.low) / (scale.high - scale.low) : 0.5,
      whole: sweep.value.done === sweep.value.total,
    };
  });
}
