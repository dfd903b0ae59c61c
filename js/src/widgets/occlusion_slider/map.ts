// What the map shows now, ready to be drawn and explained.
import { computed, type ReadonlySignal } from "@preact/signals";
import { type Scale, symmetric } from "../../shared/color";
import { legendWords, unitOf } from "./describe";
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
  /** The measure without a patch, in the unit of the legend. */
  bare: number;
  /** Whether all of the picture that a patch covered was measured. */
  whole: boolean;
}

export function mapOf(state: State): ReadonlySignal<Shown | null> {
  const { sweep, target, measure, shows, size, single } = state;
  const cells = computed(() => sweep.value && cellsOf(sweep.value, size.value));
  return computed(() => {
    const at = sweep.value ? classAt(sweep.value, target.value) : -1;
    if (!sweep.value || !cells.value || at < 0) return null;
    const one = sweep.value.classes[at] as SweptClass;
    const drop = shows.value === "drop";
    const { factor, unit } = unitOf(measure.value, drop);
    const values = shownOf(sweep.value, at, measure.value, shows.value).map((x) => factor * x);
    const [low, high] = range(values) ?? [0, 0];
    return {
      sweep: sweep.value,
      cells: cells.value,
      values,
      scale: drop
        ? { ...symmetric(low, high), table: "activations" }
        : { low, high, table: "sequential" },
      caption: legendWords(one.name, measure.value, drop, single.value, sweep.value.kept.length),
      unit,
      bare: factor * baseline(one, measure.value),
      whole: sweep.value.done === sweep.value.total,
    };
  });
}
