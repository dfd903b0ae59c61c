// The chosen statistic of all layers, of every run that is shown.
import { useMemo } from "preact/hooks";
import { oddOf } from "../../shared/wire";
import { type State, useMonitor } from "./state";
import { measuredAt, type Range, rangeOf, STATISTICS, type Statistic } from "./statistics";
import type { Run, Series } from "./types";
import { layersWith } from "./walking";

export interface Measured {
  run: Run;
  /** Layer → its series. */
  layers: ReadonlyMap<string, Series>;
}

export interface Shown {
  statistic: Statistic;
  /** Layers in their order, of the chosen run. */
  names: string[];
  /** In the order of the runs. */
  measured: Measured[];
  /** Of the chosen run. */
  chosen: Measured | undefined;
  /** One scale for all. */
  range: Range;
  /** NaN, ∞ and −∞, as far as there are such values. */
  odd: number[];
}

function measuredOf(state: State, statistic: Statistic): Measured[] {
  const { runs, run: chosen, hidden } = state;
  const { quantity, field } = statistic;
  return runs.value
    .filter((run) => run === chosen.value || !hidden.value.has(run.id))
    .map((run) => {
      const layers = layersWith(run, quantity).flatMap((name) => {
        const series = state.series(run.id, name, quantity);
        const some = series?.fields[field].some((value) => !Number.isNaN(value));
        const broken = series?.fields.nans.some((count) => count > 0);
        return series && (some || broken) ? [[name, series] as const] : [];
      });
      return { run, layers: new Map(layers) };
    });
}

/** What the figures of the layers show; the same object until something of it changes. */
export function useMeasured(): Shown {
  const state = useMonitor();
  const statistic = STATISTICS[state.looks.statistic.value] as Statistic;
  const measured = measuredOf(state, statistic);
  const all = measured.flatMap(({ layers }) => [...layers.values()]);
  return useMemo(() => {
    const { field } = statistic;
    const odd = oddOf(
      all.flatMap((series) =>
        Array.from(series.steps, (_, row) => measuredAt(series, field, row) ?? 0),
      ),
    );
    const chosen = measured.find(({ run }) => run === state.run.value);
    const names = [...(chosen?.layers.keys() ?? [])];
    return { statistic, names, measured, chosen, range: rangeOf(statistic, all), odd };
  }, [statistic, state.run.value, ...all]);
}
