// The histogram of one run at the chosen step, with the pinned step's outline.
import { useSignal } from "@preact/signals";
import { count, number, percent } from "../../shared/format";
import { handled } from "../../shared/keys";
import type { Axis } from "./axis";
import { hasFinite, rowOf } from "./bins";
import { type ViewProps, valueAxis } from "./over_time";
import { type Frame, lineOf, Plot } from "./plot";
import { Recorded } from "./recorded";
import { roundEnd } from "./round_ends";
import { outline } from "./shares";
import { nearest } from "./sorted";
import { binAt, binText, peak, type Span, sharesOf } from "./spans";
import { type State, useMonitor } from "./state";
import type { Series } from "./types";

const HEIGHT = 150;

/** The rows of a series at the chosen and at the pinned step; −1: none. */
const rowsAt = ({ step, pinned }: State, { steps }: Series): [number, number] => [
  nearest(steps, step.value),
  pinned.value === null ? -1 : nearest(steps, pinned.value),
];

/** The end of the axis of sizes, which all runs have in common. */
function topOf(state: State, all: readonly Series[], span: Span): number {
  const peaks = all.flatMap((series) =>
    rowsAt(state, series).map((at) => {
      const row = rowOf(series, at);
      return row ? peak(row, span) : 0;
    }),
  );
  return roundEnd(Math.max(0, ...peaks)) || 1;
}

/** Mean, deviation, and how many values are no numbers, as far as they are known. */
function Numbers({ series, row }: { series: Series; row: number }) {
  const { mean, std, norm, nans, infs } = series.fields;
  const broken = [nans, infs].some((counts) => (counts[row] as number) > 0);
  const known = (
    [
      ["mean", mean],
      ["std", std],
      ["norm", norm],
    ] as const
  ).filter(([, values]) => broken || !Number.isNaN(values[row]));
  const odd = (
    [
      ["NaN", nans],
      ["infinite", infs],
    ] as const
  ).filter(([, counts]) => (counts[row] as number) > 0);
  return (
    <p class="cnnw-tm-numbers">
      <b>
        <Recorded steps={series.steps} row={row} />
      </b>
      {known.map(([name, values]) => (
        <span key={name}>
          {name} {number(values[row] as number, 3)}
        </span>
      ))}
      {!known.length && <span>not measured</span>}
      {odd.map(([name, counts]) => (
        <span key={name} class="cnnw-tm-bad">
          {count(counts[row] as number)} {name}
        </span>
      ))}
    </p>
  );
}

export function AtStep({ run, series, all, span, layer }: ViewProps) {
  const state = useMonitor();
  const read = useSignal<number | null>(null);
  const [row, other] = rowsAt(state, series);
  const [now, before] = [rowOf(series, row), rowOf(series, other)];
  const top = topOf(state, all, span);
  const y: Axis = {
    ...{ title: span.linear ? "density (share / width)" : "share per octave", from: 0, to: top },
    ticks: [0, top / 2, top].map((at) => ({ at, text: span.linear ? number(at, 3) : percent(at) })),
  };
  const last = span.cuts.length - 2;
  const bin = read.value === null ? null : Math.min(last, read.value);
  const shareOf = (codes: Uint8Array) => percent(sharesOf(codes, span)[bin ?? 0] as number);
  const move = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    read.value = Math.min(last, Math.max(0, (bin ?? last >> 1) + by));
    handled(event);
  };
  return (
    <>
      <Numbers series={series} row={row} />
      <Plot
        label={`Histogram of ${state.quantity.value} of ${layer}, run ${run.name}, at step ${count(series.steps[row] ?? 0)}; left and right read its bins`}
        x={valueAxis(span, state.quantity.value, 9)}
        {...{ y, height: HEIGHT }}
        onPoint={(at) => (read.value = at && binAt(span, at.x))}
        onKeyDown={move}
      >
        {(frame) => (
          <>
            {bin !== null && <BinMark {...{ bin, span, frame }} />}
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
        {bin !== null && now
          ? `${binText(span, bin)}: ${shareOf(now)} of the values${before ? `; at the pinned step ${shareOf(before)}` : ""}`
          : before
            ? `Dashed: the pinned step, ${count(series.steps[other] ?? 0)}.`
            : ""}
      </output>
    </>
  );
}

const path = (shape: [number, number][], { across, up }: Frame) =>
  lineOf(shape.map(([place, share]) => [across(place), up(share)] as const));

interface BinMarkProps {
  bin: number;
  span: Span;
  frame: Frame;
}

const BinMark = ({ bin, span, frame: { across, top, bottom } }: BinMarkProps) => {
  const [from, to] = span.places.slice(bin, bin + 2).map(across) as [number, number];
  return <rect class="cnnw-tm-bin" x={from} width={to - from} y={top} height={bottom - top} />;
};
