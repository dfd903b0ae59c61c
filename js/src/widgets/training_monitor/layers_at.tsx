// One number of every layer at the chosen step, beside it that of the pinned step or of another run.
import { useLayoutEffect, useRef } from "preact/hooks";
import { PlainButton } from "../../shared/button";
import { Choice } from "../../shared/choice";
import { count } from "../../shared/format";
import { reveal } from "../../shared/keys";
import { tail } from "./axis";
import { type Measured, type Shown, useMeasured } from "./measured";
import { Recorded } from "./recorded";
import { nearest } from "./sorted";
import { type State, useMonitor } from "./state";
import { fraction, healthyText, measuredAt, rangeTicks, STATISTICS, valueText } from "./statistics";
import { layerOf, walk } from "./walking";

/** Letters of a layer's name that there is room for. */
const LETTERS = 22;
/** Height of a row with the axis below it (CSS pixels). */
const ROW = 40;

const WORDS = { now: "step", pinned: "pinned step", other: "step" };

/** One bar of each layer: of which run, of which of its recorded rows. */
interface Column {
  of: Measured;
  steps: ArrayLike<number>;
  row: number;
  /** The step that was asked for. */
  asked: number;
  /** In words: "slow, step 12". */
  name: string;
  kind: "now" | "pinned" | "other";
}

function columnsOf({ step, pinned, runs, store }: State, { measured, chosen }: Shown): Column[] {
  const other = measured.find((of) => of !== chosen);
  const column = (of: Measured, asked: number, kind: Column["kind"]): Column => {
    const steps = store.of(of.run.id)?.steps ?? [];
    const row = nearest(steps, asked);
    const run = runs.value.length > 1 ? `${of.run.name}, ` : "";
    const name = `${run}${WORDS[kind]} ${count(steps[row] ?? asked)}`;
    return { of, steps, row, asked, name, kind };
  };
  if (!chosen) return [];
  const now = column(chosen, step.value, "now");
  if (pinned.value !== null) return [now, column(chosen, pinned.value, "pinned")];
  const both = other ? [now, column(other, step.value, "other")] : [now];
  return measured[0] === other ? both.reverse() : both;
}

const part = (share: number) => `${(100 * share).toFixed(2)}%`;

function Band({ shown: { statistic, range } }: { shown: Shown }) {
  if (!statistic.healthy || !range.log) return null;
  const [low, high] = statistic.healthy.map((end) => fraction(end, range)) as [number, number];
  return <i class="cnnw-tm-healthy" style={{ left: part(low), width: part(high - low) }} />;
}

interface RowProps {
  name: string;
  shown: Shown;
  columns: readonly Column[];
  chosen: boolean;
  reached: boolean;
}

function LayerRow({ name, shown, columns, chosen, reached }: RowProps) {
  const { layer, colorOf } = useMonitor();
  const { statistic, range } = shown;
  const values = columns.map(({ of, row }) =>
    measuredAt(of.layers.get(name), statistic.field, row),
  );
  const texts = values.map((value) => valueText(statistic, value));
  const bar = (value: number | undefined) => {
    const at = value === undefined || Number.isNaN(value) ? 0 : Math.min(1, fraction(value, range));
    const zero = range.low < 0 ? 0.5 : 0;
    return { left: part(Math.min(at, zero)), width: part(Math.abs(at - zero)) };
  };
  return (
    <PlainButton
      role="radio"
      aria-checked={chosen}
      aria-label={`${name}: ${texts.map((text, i) => `${text} (${columns[i]?.name})`).join(", ")}`}
      tabIndex={reached ? 0 : -1}
      onClick={() => (layer.value = name)}
    >
      <span title={name}>{tail(name, LETTERS)}</span>
      <span class="cnnw-tm-track">
        <Band shown={shown} />
        {values.map((value, i) => {
          const { kind, of } = columns[i] as Column;
          const style = { ...bar(value), "--cnnw-run": colorOf(of.run.id) };
          return value === undefined ? null : (
            <i key={kind} class={`cnnw-tm-bar cnnw-tm-${kind}`} style={style} />
          );
        })}
      </span>
      {texts.map((text, i) => (
        <span key={i} class={Number.isFinite(values[i] ?? 0) ? "" : "cnnw-tm-bad"}>
          {text}
        </span>
      ))}
    </PlainButton>
  );
}

/** What the bars are, and their axis. */
function Key({ shown, columns }: { shown: Shown; columns: readonly Column[] }) {
  const { colorOf, runs } = useMonitor();
  const { statistic, range } = shown;
  return (
    <p class="cnnw-tm-key">
      {columns.map(({ kind, of, ...recorded }) => (
        <span key={kind} style={{ "--cnnw-run": colorOf(of.run.id) }}>
          <i class={`cnnw-tm-swatch cnnw-tm-${kind}`} />
          {runs.value.length > 1 && `${of.run.name}, `}
          <Recorded {...recorded} name={WORDS[kind]} />
        </span>
      ))}
      {statistic.healthy && (
        <span>
          <i class="cnnw-tm-swatch cnnw-tm-healthy" />
          common in healthy training: {healthyText(statistic)}
        </span>
      )}
      {range.log && <span>logarithmic axis</span>}
      {range.clipped && <span>bars end at the axis; the numbers are exact</span>}
    </p>
  );
}

export function LayersAt() {
  const state = useMonitor();
  const shown = useMeasured();
  const box = useRef<HTMLDivElement>(null);
  const chosen = layerOf(state);
  const { statistic, names, range } = shown;
  const columns = columnsOf(state, shown);
  useLayoutEffect(() => {
    const row = box.current?.querySelector<HTMLElement>("[aria-checked=true]");
    if (!box.current || !row) return;
    reveal(box.current, row.offsetTop, row.offsetTop + ROW);
    if (box.current.contains(document.activeElement)) row.focus();
  }, [chosen, statistic]);
  return (
    <section class="cnnw-tm-part" aria-label="Layers at the step">
      <header>
        <h3>Layers at the step</h3>
        <div class="cnnw-tm-tools">
          <Choice
            label="Statistic"
            of={state.looks.statistic}
            options={STATISTICS.map(({ label }, i) => [i, label] as const)}
          />
        </div>
      </header>
      {names.length ? (
        <>
          <Key {...{ shown, columns }} />
          <div
            ref={box}
            class="cnnw-tm-layers"
            role="radiogroup"
            aria-label={`${statistic.label} of each layer`}
            data-columns={columns.length}
            tabIndex={-1}
            onKeyDown={(event) => walk(state, event, names)}
          >
            {names.map((name, i) => (
              <LayerRow
                key={name}
                {...{ name, shown, columns }}
                chosen={name === chosen}
                reached={names.includes(chosen) ? name === chosen : !i}
              />
            ))}
            <span class="cnnw-tm-ticks" aria-hidden="true">
              <span>
                {rangeTicks(statistic, range, 4).map(({ at, text }) => (
                  <small key={at} style={{ left: part(at) }}>
                    {text}
                  </small>
                ))}
              </span>
            </span>
          </div>
        </>
      ) : (
        <p class="cnnw-tm-note">
          {state.run.value ? `No ${statistic.label} recorded.` : "No run yet."}
        </p>
      )}
    </section>
  );
}
