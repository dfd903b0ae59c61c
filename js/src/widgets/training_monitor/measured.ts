// The chosen statistic of all layers, of every run that is shown.
import { useMemo } from "preact/hooks";
import { stepsOf } from "./axis";
import { type State, useMonitor } from "./state";
import { type Range, rangeOf, STATISTICS, type Statistic } from "./statistics";
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
  /** The chosen run first. */
  measured: Measured[];
  /** One scale for all. */
  range: Range;
  /** Is some value not finite? */
  broken: boolean;
  from: number;
  to: number;
}

function measuredOf(state: State, statistic: Statistic): Measured[] {
  const { runs, run: chosen, hidden } = state;
  const { quantity, field } = statistic;
  const shown = runs.value.filter((run) => run === chosen.value || !hidden.value.has(run.id));
  const first = (run: Run) => Number(run !== chosen.value);
  return shown
    .sort((a, b) => first(a) - first(b))
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
    const [from, to] = stepsOf(all);
    const broken = all.some(({ fields: { nans, infs } }) =>
      [nans, infs].some((counts) => counts.some((count) => count > 0)),
    );
    const names = [...(measured[0]?.layers.keys() ?? [])];
    return { statistic, names, measured, range: rangeOf(statistic, all), broken, from, to };
  }, [statistic, state.run.value, ...all]);
}
