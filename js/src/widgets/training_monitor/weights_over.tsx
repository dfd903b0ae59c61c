// The weights of a layer over the steps, one row each, the runs above one another on one scale.
import { useMemo } from "preact/hooks";
import { Choice } from "../../shared/choice";
import { count } from "../../shared/format";
import { handled } from "../../shared/keys";
import { Legend } from "../../shared/legend";
import { oddOf } from "../../shared/wire";
import { DifferenceChoice } from "./difference";
import { HatchKey, SPARSE } from "./hatch";
import type { Weights } from "./held_weights";
import { Refusal } from "./refusal";
import { LINE, RowHeat, rowHeight } from "./row_heat";
import { RunPanel } from "./run_panel";
import { useRunSteps } from "./run_steps";
import { nearest } from "./sorted";
import { type State, useMonitor } from "./state";
import type { Range } from "./statistics";
import type { Run } from "./types";
import { ViewChoice } from "./view_choice";
import { hint, layerOf, walk } from "./walking";
import {
  filterTicks,
  type Rows,
  tableOf,
  type WeightTable,
  weightRange,
  weightText,
  whyNone,
  wordOf,
} from "./weight_rows";

/** Rows that the Shift key leaps over. */
const LEAP = 10;

/** The weights of the runs that are shown, as rows, on one scale; less those of these snapshots. */
function useTables(layer: string) {
  const { runs, hidden, weights, looks, pinned } = useMonitor();
  const shown = runs.value.filter(({ id }) => !hidden.value.has(id));
  const held = shown.map(({ id }) => weights.get(id, layer));
  const kind = looks.rows.value;
  const less = looks.differing.value ? pinned.value : null;
  return useMemo(() => {
    const tables = held.map(
      (one) => one && tableOf(one, kind, less === null ? -1 : nearest(one.steps, less)),
    );
    const some = tables.filter((one) => one !== undefined);
    const range = weightRange(some, kind === "weights" || less !== null);
    const odd = oddOf(some.flatMap(({ values }) => oddOf(values)));
    const pins =
      less === null ? [] : held.flatMap((one) => one?.steps[nearest(one.steps, less)] ?? []);
    return { shown, held, tables, range, odd, less: [...new Set(pins)].map(count).join(" and ") };
  }, [layer, kind, less, runs.value, hidden.value, ...held]);
}

function Tools({ layer, shape }: { layer: string; shape: readonly number[] | undefined }) {
  const { run, pinned, looks, layer: chosen } = useMonitor();
  const word = wordOf(shape ?? []) ?? "filter";
  const names = run.value?.layers ?? [];
  const why = (name: string) => (run.value ? whyNone(run.value, name) : "");
  const lacking = (name: string) => run.value?.snapshots.shapes && why(name);
  const options: (readonly [Rows, string])[] = [
    ["weights", "weights"],
    ["norms", `${word} norms`],
  ];
  return (
    <div class="cnnw-tm-tools">
      <Choice
        label="Layer"
        value={layer}
        options={names.map((name) => [name, lacking(name) ? `${name} (no weights held)` : name])}
        offers={(name) => !lacking(name)}
        onChange={(name) => (chosen.value = name)}
      />
      <Choice label="Rows" of={looks.rows} {...{ options }} />
      <ViewChoice />
      <DifferenceChoice pin={pinned.value ?? undefined} />
    </div>
  );
}

/** Up and down lead through the rows, the other arrow keys through the snapshots. */
function walkRows(state: State, event: KeyboardEvent, rows: number, { steps }: Weights): void {
  const { row } = state.looks;
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!by || event.ctrlKey || event.metaKey || event.altKey) {
    walk(state, event, [], steps);
    return;
  }
  const to = Math.min(row.value, rows - 1) + by * (event.shiftKey ? LEAP : 1);
  row.value = Math.min(rows - 1, Math.max(0, to));
  handled(event);
}

interface RunWeightsProps {
  run: Run;
  layer: string;
  held: Weights;
  table: WeightTable;
  range: Range;
  pinned: boolean;
}

function RunWeights({ run, layer, held, table, range, pinned }: RunWeightsProps) {
  const state = useMonitor();
  const { row, rows: kind } = state.looks;
  const [from, to] = useRunSteps();
  const { rows, filters } = table;
  const { steps, shape } = held;
  const word = wordOf(shape);
  const total = kind.value === "norms" ? (shape[0] as number) : shape.reduce((a, b) => a * b, 1);
  const what = kind.value === "norms" ? `${word} norms` : "weights";
  const sampled = rows.length < total;
  return (
    <>
      <RowHeat
        label={`${what} of ${layer} over ${count(steps.length)} snapshots, run ${run.name}`}
        {...{ rows, range, from, to }}
        ticks={filterTicks(filters, word, LINE / rowHeight(rows.length))}
        selected={rows[Math.min(row.value, rows.length - 1)]?.name ?? ""}
        text={(value) => weightText(value, pinned)}
        onChoose={(step, chosen) => {
          row.value = chosen;
          state.go(steps[nearest(steps, step)] as number);
        }}
        onKeyDown={(event) => walkRows(state, event, rows.length, held)}
      />
      <p class="cnnw-tm-note">
        {sampled
          ? `${count(rows.length)} of ${count(total)} ${what}, evenly spread`
          : total > 1
            ? `all ${count(total)} ${what}`
            : `the one ${what.slice(0, -1)}`}
        , at {count(steps.length)} {steps.length > 1 ? "snapshots" : "snapshot"}.
      </p>
    </>
  );
}

function Panels({ layer, ...all }: ReturnType<typeof useTables> & { layer: string }) {
  const { weights } = useMonitor();
  const { shown, held, tables, range, less } = all;
  return (
    <div class="cnnw-tm-panels cnnw-tm-above">
      {shown.map((run, i) => {
        const [one, table] = [held[i], tables[i]];
        const refusal = weights.refusal(run.id, layer);
        const why = whyNone(run, layer);
        return (
          <RunPanel key={run.id} run={run} several={shown.length > 1}>
            {one && table ? (
              <RunWeights {...{ run, layer, table, range }} held={one} pinned={!!less} />
            ) : why ? (
              <p class="cnnw-tm-note">{why}</p>
            ) : refusal ? (
              <Refusal said={refusal} />
            ) : (
              <p class="cnnw-tm-note">Fetching the weights.</p>
            )}
          </RunPanel>
        );
      })}
    </div>
  );
}

export function WeightsOver() {
  const state = useMonitor();
  const layer = layerOf(state);
  const all = useTables(layer);
  const { held, tables, range, odd, less } = all;
  const shape = held.find((one) => one)?.shape;
  const several = tables.filter((one) => one).length > 1;
  const caption = [
    (less && `difference from step ${less}: `) +
      (state.looks.rows.value === "norms"
        ? `norm of the weights of a ${wordOf(shape ?? [])}`
        : "weight"),
    ...(range.clipped ? ["what is beyond the ends has their colour"] : []),
    several ? "one scale for all steps and runs" : "one scale for all steps",
  ];
  return (
    <section class="cnnw-tm-part" aria-label="Weights over the steps" data-view="weights">
      <header>
        <h3>Weights over the steps</h3>
        <Tools {...{ layer, shape }} />
      </header>
      <Panels {...all} layer={layer} />
      {shape && (
        <>
          <Legend scale={range} caption={caption.join("; ")} odd={odd} />
          <HatchKey why={SPARSE} />
          <p class="cnnw-tm-note">{hint("rows")}</p>
        </>
      )}
    </section>
  );
}
