// The one place that knows uPlot: curves and their axes on a canvas, in the colours of the page.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Aligned } from "./align";

/** Room for the ticks around the curves (CSS pixels). */
export const MARGIN = { left: 54, right: 12, top: 10, bottom: 24 };
export const HEIGHT = 190;

export interface Stroke {
  color: string;
  dash: number[];
  /** Lies behind, as what was smoothed does. */
  faint: boolean;
  /** So few points that each is marked. */
  marked: boolean;
}

export interface Look {
  strokes: readonly Stroke[];
  log: boolean;
  formatX: (x: number) => string;
  formatY: (y: number) => string;
  /** What is shown of the horizontal axis. */
  domain: () => readonly [number, number];
}

const FAINT = "55";
const ROOM = 0.06;

/** The limits of the vertical axis: a little more than the values need. */
export function limits(log: boolean, low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return log ? [0.1, 1] : [0, 1];
  if (log) return low === high ? [low / 2, high * 2] : [low / 1.2, high * 1.2];
  const room = high > low ? ROOM * (high - low) : Math.abs(high) / 10 || 1;
  return [low >= 0 && low < room ? 0 : low - room, high + room];
}

const present = (values: ArrayLike<number | null | undefined>) =>
  Array.from(values, (value, i) => (value == null ? -1 : i)).filter((i) => i >= 0);

function seriesOf({ color, dash, faint, marked }: Stroke): uPlot.Series {
  return {
    stroke: faint ? color + FAINT : color,
    width: faint ? 1 : 1.6,
    dash,
    points: {
      show: marked && !faint,
      size: 5,
      fill: color,
      filter: (u, series, show) => (show ? present(u.data[series] ?? []) : null),
    },
  };
}

/** Colours are read from the element, so that they are those of the theme. */
function axisOf(el: Element, values: uPlot.Axis.Values, size: number, space: number): uPlot.Axis {
  const style = getComputedStyle(el);
  const line = () => style.borderTopColor;
  return {
    stroke: () => style.color,
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1, size: 4 },
    ...{ values, size, space, gap: 3 },
    font: `11px ${style.fontFamily}`,
  };
}

/** Draws into an element until it is destroyed. */
export function draw(el: HTMLElement, width: number, data: Aligned, look: Look): uPlot {
  const { log, strokes, formatX, formatY, domain } = look;
  const { left, right, top, bottom } = MARGIN;
  const text = (format: (x: number) => string) => (_: uPlot, at: number[]) =>
    at.map((x) => (x === null ? "" : format(x)));
  return new uPlot(
    {
      ...{ width, height: HEIGHT, padding: [top, right, 0, 0] },
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: () => [...domain()] },
        y: { distr: log ? 3 : 1, range: (_, low, high) => limits(log, low, high) },
      },
      axes: [axisOf(el, text(formatX), bottom, 70), axisOf(el, text(formatY), left, 28)],
      series: [{}, ...strokes.map(seriesOf)],
    },
    data as uPlot.AlignedData,
    el,
  );
}
