// How the values of one quantity of one layer are distributed, over the steps and at one of them.
import { useMemo } from "preact/hooks";
import { Legend } from "../../shared/legend";
import { AtStep } from "./at_step";
import { stepsOf } from "./axis";
import { type Folded, fold, hasFinite, rowOf, SHARES, spanOf } from "./bins";
import { Choice, LayerChoice } from "./choice";
import type { View } from "./looks";
import { BandKey, Bands, HeatMap, Ridges, type ViewProps } from "./over_time";
import { type State, useMonitor } from "./state";
import type { Quantity, Run, Series } from "./types";
import { HINT, layerOf } from "./walking";

const VIEWS = {
  heat: ["heat map", HeatMap],
  ridges: ["ridgeline", Ridges],
  bands: ["distribution bands", Bands],
} as const;

const NOTES: Record<View, string> = {
  heat: "",
  ridges:
    "Height: square root of the share in a bin; the newest step is in front, the blue line is the step. ",
  bands: "",
};

const QUANTITIES: readonly Quantity[] = [
  "weights",
  "gradients",
  "activations",
  "biases",
  "bias gradients",
];

/** The runs that have this layer and quantity. */
function shownOf(state: State, layer: string): { run: Run; series: Series }[] {
  const { runs, hidden, quantity } = state;
  return runs.value.flatMap((run) => {
    const series = hidden.value.has(run.id)
      ? undefined
      : state.series(run.id, layer, quantity.value);
    return series ? [{ run, series }] : [];
  });
}

function Tools({ view, onView }: { view: View; onView: (view: View) => void }) {
  const state = useMonitor();
  const { run, quantity } = state;
  const layer = layerOf(state);
  return (
    <div class="cnnw-tm-tools">
      <LayerChoice />
      <Choice
        label="Quantity"
        value={quantity.value}
        options={QUANTITIES.map((name) => [name, name] as const)}
        offers={(name) => !!run.value?.keys.some(([l, q]) => l === layer && q === name)}
        onChange={(name) => (quantity.value = name)}
      />
      <Choice
        label="View"
        value={view}
        options={(Object.keys(VIEWS) as View[]).map((key) => [key, VIEWS[key][0]] as const)}
        onChange={onView}
      />
    </div>
  );
}

/** Why there is nothing to see. */
function whyNot({ run, store, quantity }: State, layer: string): string {
  if (!run.value) return "No run yet.";
  if (!store.of(run.value.id)) return "Loading what was recorded.";
  if (!layer) return "No layers recorded yet.";
  const { keys } = run.value;
  return keys.some(([l, q]) => l === layer && q === quantity.value)
    ? "Nothing recorded yet."
    : `There are no ${quantity.value} of ${layer}.`;
}

export function Histograms() {
  const state = useMonitor();
  const { view } = state.looks;
  const layer = layerOf(state);
  const shown = shownOf(state, layer);
  const measured = shown.map(({ series }) => series);
  const { all, span, from, to, broken } = useMemo(() => {
    const all = fold(measured);
    const [from, to] = stepsOf(all);
    const broken = all.some(({ steps, ...one }) =>
      Array.from(steps, (_, i) => rowOf(one, i)).some((row) => row && !hasFinite(row)),
    );
    return { all, span: spanOf(all), from, to, broken };
  }, measured);
  return (
    <section class="cnnw-tm-part" aria-label="Histograms" data-view={view.value}>
      <header>
        <h3>Histograms</h3>
        <Tools view={view.value} onView={(key) => (view.value = key)} />
      </header>
      {span ? (
        <>
          <div class="cnnw-tm-panels">
            {shown.map(({ run }, i) => (
              <Panel
                key={run.id}
                {...{ run, all, span, from, to, layer, view: view.value }}
                series={all[i] as Folded}
                several={shown.length > 1}
              />
            ))}
          </div>
          {view.value === "bands" && <BandKey />}
          {view.value === "heat" && (
            <Legend
              scale={{ low: 0, high: 100 * (SHARES[span.top] as number), table: "sequential" }}
              caption={`share of ${state.quantity.value} in a bin; colour by its square root${span.clipped ? "; more has the same colour" : ""}${shown.length > 1 ? "; one scale for all runs" : ""}`}
              unit="%"
              hasNaN={broken}
            />
          )}
          <p class="cnnw-tm-note">
            {NOTES[view.value]}
            {HINT}
          </p>
        </>
      ) : (
        <p class="cnnw-tm-note">{whyNot(state, layer)}</p>
      )}
    </section>
  );
}

function Panel(p: ViewProps & { view: View; several: boolean }) {
  const { colorOf } = useMonitor();
  const [, OverTime] = VIEWS[p.view];
  return (
    <article aria-label={p.run.name} style={{ "--cnnw-run": colorOf(p.run.id) }}>
      {p.several && (
        <h4>
          <i class="cnnw-tm-swatch" />
          {p.run.name}
        </h4>
      )}
      <OverTime {...p} />
      <AtStep {...p} />
    </article>
  );
}
