// The histograms of one run over its steps: as a picture, as lines one before another, as bands.
import { type Signal, useSignal } from "@preact/signals";
import { useCallback, useMemo } from "preact/hooks";
import { put } from "../../shared/canvas";
import { count, number, percent } from "../../shared/format";
import { type Axis, spread, stepAxis } from "./axis";
import { hasFinite, quantiles, rowOf } from "./bins";
import { cellAt, cellsOf } from "./cells";
import { COLUMNS, type Frame, lineOf, Plot } from "./plot";
import { roundEnd } from "./round_ends";
import { bandsOf, paintShares, ridge, type Shape, usualPeak } from "./shares";
import { nearest } from "./sorted";
import { binAt, binText, type Span, sharesOf, valueTicks } from "./spans";
import { useMonitor } from "./state";
import { stepLines } from "./step_lines";
import type { Run, Series } from "./types";
import { layersWith, walk } from "./walking";

export interface ViewProps {
  run: Run;
  series: Series;
  layer: string;
  /** Those of all runs. */
  all: readonly Series[];
  /** Bins, the same for all runs. */
  span: Span;
  /** First and last step, the same for all runs. */
  from: number;
  to: number;
}

const HEIGHT = 210;
/** Pixels of a heat map. */
const PIXELS = 170;
/** Lines of a ridgeline, how many gaps a usual line is high, and how many there are above the first. */
const RIDGES = { lines: 24, usual: 5, above: 5 };

export const valueAxis = (span: Span, quantity: string, most: number): Axis => {
  const title = `value of ${quantity}${span.linear ? "" : " (logarithmic)"}`;
  return { title, from: span.from, to: span.to, ticks: valueTicks(span, most) };
};

interface Cursor {
  step: number;
  /** On the axis of values. */
  place: number;
}

/** Median and middle of a row. */
function middleText(row: Uint8Array): string {
  const [low, median, high] = quantiles(row, [0.05, 0.5, 0.95]).map((value) => number(value, 2));
  return `median about ${median}, 90 % about ${low} … ${high}`;
}

/** What is read at the pointer, else of the chosen step. */
function Reading({
  series,
  span,
  from,
  to,
  cursor,
}: ViewProps & { cursor: Signal<Cursor | null> }) {
  const { step } = useMonitor();
  const at = cursor.value;
  const { steps } = series;
  const row = at ? cellAt(steps, at.step, (to - from) / COLUMNS) : nearest(steps, step.value);
  const codes = rowOf(series, row);
  const bin = binAt(span, at?.place ?? 0);
  const what = !codes
    ? row < 0
      ? "not recorded"
      : "not measured"
    : !hasFinite(codes)
      ? "no finite value"
      : at
        ? `${percent(sharesOf(codes, span)[bin] as number)} of the values are ${binText(span, bin)}`
        : middleText(codes);
  return (
    <output>
      step {count(steps[row] ?? Math.round(at?.step ?? step.value))}: {what}
    </output>
  );
}

/** What all three have in common: being pointed at, pressed, and walked through. */
function useFigure(p: ViewProps, upright: boolean) {
  const { run, series, layer, span, from, to } = p;
  const state = useMonitor();
  const cursor = useSignal<Cursor | null>(null);
  const place = (x: number, y: number): Cursor =>
    upright ? { step: x, place: y } : { step: y, place: x };
  const quantity = state.quantity.value;
  const values = valueAxis(span, quantity, upright ? 10 : 9);
  const label = `${quantity} of ${layer}, run ${run.name}, steps ${count(from)} to ${count(to)}`;
  return {
    label,
    values,
    handlers: {
      onPoint: (at: { x: number; y: number } | null) => (cursor.value = at && place(at.x, at.y)),
      onChoose: (x: number, y: number) => {
        const row = nearest(series.steps, place(x, y).step);
        if (row >= 0) state.go(series.steps[row] as number);
      },
      onKeyDown: (event: KeyboardEvent) =>
        walk(state, event, layersWith(state.run.value, quantity)),
    },
    reading: <Reading {...p} cursor={cursor} />,
  };
}

export function HeatMap(p: ViewProps) {
  const { series, span, from, to } = p;
  const { label, values, handlers, reading } = useFigure(p, true);
  const draw = useCallback(
    (canvas: HTMLCanvasElement, columns: number) =>
      put(canvas, columns, PIXELS, (out) =>
        paintShares(out, series, cellsOf(series.steps, from, to, columns), span),
      ),
    [series, span, from, to],
  );
  return (
    <>
      <Plot
        label={`Heat map of the histograms: ${label}`}
        {...{ x: stepAxis(from, to), y: values, height: HEIGHT, draw, ...handlers }}
        marks={stepLines}
      />
      {reading}
    </>
  );
}

const BANDS = [
  [0, 6],
  [1, 5],
  [2, 4],
] as const;
const MEDIAN = 3;

/** What the bands stand for. */
export const BandKey = () => (
  <p class="cnnw-tm-key cnnw-tm-bands">
    {["all values", "90 %", "50 %"].map((name) => (
      <span key={name}>
        <i class="cnnw-tm-swatch" />
        {name}
      </span>
    ))}
    <span>
      <i class="cnnw-tm-swatch cnnw-tm-median" />
      median
    </span>
    <span>as far as the bins tell</span>
  </p>
);

export function Bands(p: ViewProps) {
  const { series, span, from, to } = p;
  const { label, values, handlers, reading } = useFigure(p, true);
  const pieces = useMemo(() => bandsOf(series), [series]);
  const within = (value = 0) => Math.min(span.to, Math.max(span.from, value));
  const edge = (piece: (typeof pieces)[number], level: number, { across, up }: Frame): Shape =>
    piece.map(({ step, values }) => [across(step), up(within(values[level]))]);
  return (
    <>
      <Plot
        label={`Distribution bands: ${label}`}
        {...{ x: stepAxis(from, to), y: values, height: HEIGHT, ...handlers }}
        marks={stepLines}
      >
        {(frame) =>
          pieces.map((piece) => (
            <g key={piece[0]?.step} class="cnnw-tm-bands">
              {BANDS.map(([low, high]) => (
                <path
                  key={low}
                  d={lineOf([...edge(piece, low, frame), ...edge(piece, high, frame).reverse()])}
                />
              ))}
              <path class="cnnw-tm-median" d={lineOf(edge(piece, MEDIAN, frame))} />
            </g>
          ))
        }
      </Plot>
      {reading}
    </>
  );
}

/** The histograms as lines, and how high a root of 1 is, in steps: the same for all runs. */
function useRidges({ series, all, span, from, to }: ViewProps) {
  return useMemo(() => {
    const lines = spread(series.steps, RIDGES.lines).flatMap((row) => {
      const found = rowOf(series, row);
      const step = series.steps[row] as number;
      return found && hasFinite(found) ? [{ step, shape: ridge(found, span) }] : [];
    });
    const gap = (to - from) / RIDGES.lines;
    const usual = usualPeak(all, span, RIDGES.lines);
    return { lines, gap, high: (RIDGES.usual * gap) / Math.sqrt(usual), size: roundEnd(usual) };
  }, [series, all, span, from, to]);
}

/** A shape over a step of a ridgeline, as a path; what is too high for the figure is cut. */
const ridgeLine = (shape: Shape, step: number, high: number, { across, up, top }: Frame): string =>
  lineOf(
    shape.map(([place, share]) => [across(place), Math.max(top, up(step - share * high))] as const),
  );

export function Ridges(p: ViewProps) {
  const { span, from, to } = p;
  const { label, values, handlers, reading } = useFigure(p, false);
  const { lines, gap, high, size } = useRidges(p);
  const axis = { ...stepAxis(from, to), from: to, to: from - RIDGES.above * gap };
  return (
    <>
      <Plot
        label={`Ridgeline of the histograms: ${label}`}
        {...{ x: values, y: axis, height: HEIGHT + 40, ...handlers }}
        marks={(frame) => <RidgeMarks {...p} {...{ high, frame, span }} />}
      >
        {(frame) => (
          <>
            {lines.map(({ step, shape }) => (
              <path key={step} class="cnnw-tm-ridge" d={ridgeLine(shape, step, high, frame)} />
            ))}
            <ScaleBar
              {...{ frame, text: span.linear ? number(size, 2) : percent(size) }}
              size={frame.up(0) - frame.up(-Math.sqrt(size) * high)}
            />
          </>
        )}
      </Plot>
      {reading}
    </>
  );
}

/** How high a round size is. */
const ScaleBar = (p: { frame: Frame; text: string; size: number }) => {
  const [x, top] = [p.frame.left - 6, p.frame.top];
  const size = Math.abs(p.size);
  return (
    <g class="cnnw-tm-scale">
      <line x1={x} x2={x} y1={top} y2={top + size} />
      <text x={x - 4} y={top + size / 2 + 3} text-anchor="end">
        {p.text}
      </text>
    </g>
  );
};

/** The chosen and the pinned step's lines, over all others. */
function RidgeMarks({ series, span, high, frame }: ViewProps & { high: number; frame: Frame }) {
  const { step, pinned } = useMonitor();
  const path = (at: number | null, name: string) => {
    const place = at === null ? -1 : nearest(series.steps, at);
    const row = rowOf(series, place);
    if (!row || !hasFinite(row)) return null;
    const d = ridgeLine(ridge(row, span), series.steps[place] as number, high, frame);
    return <path class={`cnnw-tm-${name}`} d={d} />;
  };
  return (
    <>
      {path(pinned.value, "pin")}
      {path(step.value, "step")}
    </>
  );
}
