// How the values of one quantity of one layer are distributed, over the steps and at one of them.
import { useMemo } from "preact/hooks";
import { Choice } from "../../shared/choice";
import { Legend } from "../../shared/legend";
import { AtStep } from "./at_step";
import { hasFinite, rowOf } from "./bins";
import { LayerChoice } from "./choice";
import { HatchKey } from "./hatch";
import type { View } from "./looks";
import { BandKey, Bands, HeatMap, Ridges } from "./over_time";
import { RunPanel } from "./run_panel";
import { useRunSteps } from "./run_steps";
import { linearSpan, logSpan, type Span } from "./spans";
import { type State, useMonitor } from "./state";
import type { Quantity, Run, Series } from "./types";
import { ViewChoice } from "./view_choice";
import { HINT, layerOf } from "./walking";
import { WeightsOver } from "./weights_over";

type Drawing = Exclude<View, "weights">;

const VIEWS = { heat: HeatMap, ridges: Ridges, bands: Bands };

const NOTES: Partial<Record<Drawing, string>> = {
  ridges:
    "Height: square root of the histogram's; the newest step is in front, the blue line is the step. ",
};

const QUANTITIES: readonly Quantity[] = [
  "weights",
  "gradients",
  "activations",
  "biases",
  "bias gradients",
];

const AXES = [
  ["linear", "linear"],
  ["log", "logarithmic"],
] as const;

/** Bands have a linear axis, weights and biases by default: the others span many powers of ten. */
function isLinear({ looks, quantity }: State): boolean {
  if (looks.view.value === "bands") return true;
  return looks.linear.value ?? ["weights", "biases"].includes(quantity.value);
}

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

function Tools({ view }: { view: Drawing }) {
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
      <ViewChoice />
      <Choice
        label="Axis"
        value={isLinear(state) ? "linear" : "log"}
        options={AXES}
        offers={(key) => key === "linear" || view !== "bands"}
        onChange={(key) => (state.looks.linear.value = key === "linear")}
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

/** What the colours stand for. */
const captionOf = ({ quantity }: State, { linear, clipped }: Span, several: boolean): string =>
  [
    `density of ${quantity.value} (share ${linear ? "in a bin / its width" : "per octave"})`,
    "colour by its square root",
    ...(clipped ? ["more has the same colour"] : []),
    ...(several ? ["one scale for all runs"] : []),
  ].join("; ");

/** What is distributed how, or what each of the weights does. */
export function Distributions() {
  const view = useMonitor().looks.view.value;
  return view === "weights" ? <WeightsOver /> : <Histograms view={view} />;
}

function Histograms({ view }: { view: Drawing }) {
  const state = useMonitor();
  const layer = layerOf(state);
  const shown = shownOf(state, layer);
  const all = shown.map(({ series }) => series);
  const linear = isLinear(state);
  const OverTime = VIEWS[view];
  const [from, to] = useRunSteps();
  const { span, broken } = useMemo(() => {
    const broken = all.some(({ steps, ...one }) =>
      Array.from(steps, (_, i) => rowOf(one, i)).some((row) => row && !hasFinite(row)),
    );
    return { span: (linear ? linearSpan : logSpan)(all), broken };
  }, [linear, ...all]);
  return (
    <section class="cnnw-tm-part" aria-label="Histograms" data-view={view}>
      <header>
        <h3>Histograms</h3>
        <Tools view={view} />
      </header>
      {span ? (
        <>
          <div class="cnnw-tm-panels">
            {shown.map((one) => {
              const figure = { ...one, all, span, from, to, layer };
              return (
                <RunPanel key={one.run.id} run={one.run} several={shown.length > 1}>
                  <OverTime {...figure} />
                  <AtStep {...figure} />
                </RunPanel>
              );
            })}
          </div>
          {view === "bands" && <BandKey />}
          {view === "heat" && (
            <>
              <Legend
                scale={{ low: 0, high: (linear ? 1 : 100) * span.top, table: "sequential" }}
                caption={captionOf(state, span, shown.length > 1)}
                unit={linear ? "" : "%"}
                odd={broken ? [Number.NaN] : []}
              />
              <HatchKey />
            </>
          )}
          <p class="cnnw-tm-note">
            {span.beyond && "A few values are beyond the axis. "}
            {NOTES[view]}
            {HINT}
          </p>
        </>
      ) : (
        <p class="cnnw-tm-note">{whyNot(state, layer)}</p>
      )}
    </section>
  );
}
