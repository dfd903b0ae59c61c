// One number of every layer over the steps, as a picture for each run.
import { useMemo } from "preact/hooks";
import { Legend } from "../../shared/legend";
import { HatchKey } from "./hatch";
import { type Measured, type Shown, useMeasured } from "./measured";
import { type HeatRow, RowHeat } from "./row_heat";
import { RunPanel } from "./run_panel";
import { useRunSteps } from "./run_steps";
import { nearest } from "./sorted";
import { useMonitor } from "./state";
import { healthyText, measuredAt, valueText } from "./statistics";
import { HINT, layerOf, walk } from "./walking";

function rowsOf({ names, statistic }: Shown, { layers }: Measured): HeatRow[] {
  return names.map((name) => {
    const series = layers.get(name);
    return {
      name,
      steps: series?.steps ?? [],
      value: (row) => measuredAt(series, statistic.field, row),
    };
  });
}

function RunHeat({ shown, of }: { shown: Shown; of: Measured }) {
  const state = useMonitor();
  const { statistic, range, names } = shown;
  const [from, to] = useRunSteps();
  const rows = useMemo(() => rowsOf(shown, of), [shown, of]);
  return (
    <RowHeat
      label={`${statistic.label} of ${names.length} layers over the steps, run ${of.run.name}`}
      {...{ rows, range, from, to }}
      selected={layerOf(state)}
      text={(value) => valueText(statistic, value)}
      onChoose={(step, row) => {
        const { name, steps } = rows[row] as HeatRow;
        state.layer.value = name;
        const index = nearest(steps, step);
        if (index >= 0) state.go(steps[index] as number);
      }}
      onKeyDown={(event) => walk(state, event, names)}
    />
  );
}

export function LayersOver() {
  const { run } = useMonitor();
  const shown = useMeasured();
  const { statistic, names, measured, range, odd } = shown;
  const runs = measured.filter(({ layers }) => names.some((name) => layers.has(name)));
  const factor = statistic.kind === "share" ? 100 : 1;
  const scale = { low: factor * range.low, high: factor * range.high, table: range.table };
  const notes = [
    statistic.label,
    ...(range.log ? ["logarithmic colours"] : []),
    ...(statistic.healthy ? [`pale: common in healthy training, ${healthyText(statistic)}`] : []),
    ...(range.clipped ? ["what is beyond the ends has their colour"] : []),
    ...(runs.length > 1 ? ["one scale for all runs"] : []),
  ];
  return (
    <section class="cnnw-tm-part" aria-label="Layers over the steps">
      <header>
        <h3>Layers over the steps: {statistic.label}</h3>
      </header>
      <div class="cnnw-tm-panels">
        {runs.map((of) => (
          <RunPanel key={of.run.id} run={of.run} several={runs.length > 1}>
            <RunHeat {...{ shown, of }} />
          </RunPanel>
        ))}
      </div>
      {runs.length ? (
        <>
          <Legend scale={scale} caption={notes.join("; ")} unit={factor > 1 ? "%" : ""} odd={odd} />
          <HatchKey
            why={
              statistic.field === "dead"
                ? ", or not yet known: units are counted over many batches"
                : ""
            }
          />
          <p class="cnnw-tm-note">{HINT}</p>
        </>
      ) : (
        <p class="cnnw-tm-note">{run.value ? `No ${statistic.label} recorded.` : "No run yet."}</p>
      )}
    </section>
  );
}
