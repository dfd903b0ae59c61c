// The histogram of one run at the chosen step, with the pinned step's outline.
import { useSignal } from "@preact/signals";
import { count, number, percent } from "../../shared/format";
import { handled } from "../../shared/keys";
import type { Axis } from "./axis";
import { binText, type Folded, hasFinite, rowOf, SHARES } from "./bins";
import { type ViewProps, valueAxis } from "./over_time";
import { type Frame, lineOf, Plot } from "./plot";
import { outline, peak, roundShare } from "./shares";
import { nearest } from "./sorted";
import { type State, useMonitor } from "./state";
import type { Series } from "./types";

const HEIGHT = 150;

/** The rows of a series at the chosen and at the pinned step; −1: none. */
const rowsAt = ({ step, pinned }: State, { steps }: Series): [number, number] => [
  nearest(steps, step.value),
  pinned.value === null ? -1 : nearest(steps, pinned.value),
];

/** The end of the axis of shares, which all runs have in common. */
function topOf(state: State, all: readonly Folded[]): number {
  const peaks = all.flatMap((series) =>
    rowsAt(state, series).map((at) => {
      const row = rowOf(series, at);
      return row ? peak(row) : 0;
    }),
  );
  return roundShare(Math.max(0, ...peaks));
}

/** Mean, deviation, and how many values are no numbers. */
function Numbers({ series, row }: { series: Series; row: number }) {
  const { step } = useMonitor();
  const { mean, std, norm, nans, infs } = series.fields;
  const at = series.steps[row] as number;
  const odd = [
    [nans[row], "NaN"],
    [infs[row], "infinite"],
  ] as const;
  return (
    <p class="cnnw-tm-numbers">
      <b>step {count(at)}</b>
      {at !== step.value && <small>nearest to {count(step.value)}</small>}
      {Number.isNaN(nans[row]) ? (
        <span>not measured</span>
      ) : (
        <>
          <span>mean {number(mean[row] as number, 3)}</span>
          <span>std {number(std[row] as number, 3)}</span>
          <span>norm {number(norm[row] as number, 3)}</span>
          {odd.map(([many = 0, name]) => (
            <span key={name} class={many ? "cnnw-tm-bad" : ""}>
              {count(many)} {name}
            </span>
          ))}
        </>
      )}
    </p>
  );
}

export function AtStep({ run, series, all, span, layer }: ViewProps) {
  const state = useMonitor();
  const bin = useSignal<number | null>(null);
  const [row, other] = rowsAt(state, series);
  const [now, before] = [rowOf(series, row), rowOf(series, other)];
  const top = topOf(state, all);
  const y: Axis = {
    ...{ title: "share of values", from: 0, to: top },
    ticks: [0, top / 2, top].map((at) => ({ at, text: percent(at) })),
  };
  const shareOf = (codes: Uint8Array) => percent(SHARES[codes[bin.value ?? 0] as number] as number);
  const move = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    const to = (bin.value ?? (span.from + span.to) >> 1) + by;
    bin.value = Math.min(span.to - 1, Math.max(span.from, to));
    handled(event);
  };
  return (
    <>
      <Numbers series={series} row={row} />
      <Plot
        label={`Histogram of ${state.quantity.value} of ${layer}, run ${run.name}, at step ${count(series.steps[row] ?? 0)}; left and right read its bins`}
        x={valueAxis(span, `value of ${state.quantity.value}`, 9)}
        {...{ y, height: HEIGHT }}
        onPoint={(at) => (bin.value = at && Math.min(span.to - 1, Math.floor(at.x)))}
        onKeyDown={move}
      >
        {(frame) => (
          <>
            {bin.value !== null && <BinMark bin={bin.value} frame={frame} />}
            {now && <path class="cnnw-tm-bars" d={path(outline(now, span), frame)} />}
            {!(now && hasFinite(now)) && (
              <text
                x={(frame.left + frame.right) / 2}
                y={(frame.top + frame.bottom) / 2}
                text-anchor="middle"
              >
                {now ? "no finite value" : "not measured"}
              </text>
            )}
            {before && <path class="cnnw-tm-pin" d={path(outline(before, span), frame)} />}
          </>
        )}
      </Plot>
      <output>
        {bin.value !== null && now
          ? `${binText(bin.value, span.inner)}: ${shareOf(now)} of the values${before ? `; at the pinned step ${shareOf(before)}` : ""}`
          : before
            ? `Dashed: the pinned step, ${count(series.steps[other] ?? 0)}.`
            : ""}
      </output>
    </>
  );
}

const path = (shape: [number, number][], { across, up }: Frame) =>
  lineOf(shape.map(([place, share]) => [across(place), up(share)] as const));

const BinMark = ({ bin, frame: { across, top, bottom } }: { bin: number; frame: Frame }) => (
  <rect
    class="cnnw-tm-bin"
    x={across(bin)}
    width={across(bin + 1) - across(bin)}
    y={top}
    height={bottom - top}
  />
);
