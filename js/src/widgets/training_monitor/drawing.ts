// Lines on a canvas, and the scale that they are drawn to.
import { number } from "../../shared/format";
import { roundTicks, type Tick } from "./axis";
import { lowerBound, quantile } from "./sorted";

export interface Stroke {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  /** When they were measured: a line breaks where long nothing was. */
  steps: ArrayLike<number>;
  color: string;
  dash: number[];
  /** Lies behind, as what was smoothed does. */
  faint: boolean;
}

export interface Scale {
  from: number;
  to: number;
  log: boolean;
}

export type Domain = readonly [from: number, to: number];

/** Fewer points than these are marked each. */
const FEW = 20;
const [WIDTH, FAINT_WIDTH, RADIUS] = [1.6, 1, 2.5];
/** How opaque what lies behind is, on a light and on a dark ground. */
const FAINT = [0.45, 0.75] as const;
/** What the vertical axis has beyond its values. */
const ROOM = 0.06;
/** Values so many times the width of the others away from these are cut off, and what is left of that. */
const [FAR, LEFT] = [3, 0.5];
/** Points of a line that tell where most of it is, and how far these are apart. */
const SAMPLE = 400;
/** A line breaks where two points are so many times as far apart as is usual. */
const BROKEN = 5;

/** A value that has no place on the axis. */
export const leftOut = (value: number, log: boolean): boolean =>
  !Number.isFinite(value) || (log && value <= 0);

/** Where a value is between the ends of a scale, 0 … 1. */
export function share({ from, to, log }: Scale, value: number): number {
  const of = log ? Math.log : (x: number) => x;
  return (of(value) - of(from)) / (of(to) - of(from));
}

/** The points between two places, and their neighbours outside. */
export const within = (x: ArrayLike<number>, [from, to]: Domain): Domain => [
  Math.max(0, lowerBound(x, from) - 1),
  Math.min(x.length, lowerBound(x, to) + 2),
];

/** Lowest and highest of the values that are to be seen. */
function extremes(strokes: readonly Stroke[], domain: Domain, log: boolean): Domain {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { x, y } of strokes) {
    const [first, last] = within(x, domain);
    for (let i = first; i < last; i++) {
      const value = y[i] as number;
      if (leftOut(value, log)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return [low, high];
}

/** Where most values of a line are: all but a twentieth on either side, of a sample. */
function bulk({ x, y }: Stroke, domain: Domain): Domain | undefined {
  const [first, last] = within(x, domain);
  const apart = Math.max(1, Math.ceil((last - first) / SAMPLE));
  const some: number[] = [];
  for (let i = first; i < last; i += apart) if (Number.isFinite(y[i])) some.push(y[i] as number);
  some.sort((a, b) => a - b);
  return some.length ? [quantile(some, 0.05) as number, quantile(some, 0.95) as number] : undefined;
}

/** The ends without what lies so far off that nothing else could be told apart; lines are seen to begin. */
function withoutOutliers([low, high]: Domain, strokes: readonly Stroke[], domain: Domain): Domain {
  const bulks = strokes.flatMap((stroke) => [bulk(stroke, domain) ?? []].flat());
  const [from, to] = [Math.min(...bulks), Math.max(...bulks)];
  const wide = to - from;
  if (wide <= 0) return [low, high];
  const begin = strokes
    .flatMap(({ x, y }) => y[within(x, domain)[0]] ?? [])
    .filter(Number.isFinite);
  const lowest = Math.min(from - LEFT * wide, ...begin);
  const highest = Math.max(to + LEFT * wide, ...begin);
  return [
    low < from - FAR * wide ? Math.max(low, lowest) : low,
    high > to + FAR * wide ? Math.min(high, highest) : high,
  ];
}

/** A scale that holds what is to be seen, with a little room; a logarithmic one ends at single digits. */
export function scaleOf(strokes: readonly Stroke[], domain: Domain, log: boolean): Scale {
  const all = extremes(strokes, domain, log);
  if (all[0] > all[1]) return { from: log ? 0.1 : 0, to: 1, log };
  if (log) {
    const [low, high] = all;
    const power = (value: number) => 10 ** Math.floor(Math.log10(value));
    const from = Math.floor(low / power(low)) * power(low);
    const to = Math.ceil(high / power(high)) * power(high);
    return to > from ? { from, to, log } : { from: from / 2, to: 2 * from, log };
  }
  const [low, high] = withoutOutliers(all, strokes, domain);
  const room = high > low ? ROOM * (high - low) : Math.abs(high) / 10 || 1;
  return { from: low >= 0 && low < room ? 0 : low - room, to: high + room, log };
}

/**
 * Round values along a vertical axis; of a logarithmic one powers of ten, where it spans few also twice and five
 * times these, and where it spans hardly any whatever is round.
 */
export function ticksOf({ from, to, log }: Scale, most: number): Tick[] {
  if (!log) return roundTicks(from, to, most, number);
  const [low, high] = [Math.floor(Math.log10(from)), Math.ceil(Math.log10(to))];
  const apart = Math.ceil((high - low) / most);
  const digits = high - low > most / 2 ? [1] : [1, 2, 5];
  const out: Tick[] = [];
  for (let power = low; power <= high; power += apart)
    for (const digit of digits) {
      const at = digit * 10 ** power;
      if (at >= from * 0.999 && at <= to * 1.001) out.push({ at, text: number(at, 3) });
    }
  return out.length > 1 ? out : roundTicks(from, to, most, number);
}

/**
 * Was long nothing measured before a point? Longer than is usual for the line and for what is beside it: of
 * layers ever fewer steps are recorded.
 */
export function breaksOf(steps: ArrayLike<number>): (i: number) => boolean {
  const apart = (i: number) => (steps[i] as number) - (steps[i - 1] as number) || 0;
  const each = Math.max(1, Math.ceil(steps.length / SAMPLE));
  const some: number[] = [];
  for (let i = 1; i < steps.length; i += each) some.push(apart(i));
  some.sort((a, b) => a - b);
  const usual = some[some.length >> 1] ?? 0;
  return (i) => apart(i) > BROKEN * Math.max(usual, apart(i - 1), apart(i + 1));
}

/** Where a canvas has its points. */
interface Places {
  across: (x: number) => number;
  up: (y: number) => number;
  log: boolean;
  domain: Domain;
}

/** Of all points in one column of pixels only the first, the ends and the last are drawn. */
function trace(context: CanvasRenderingContext2D, { x, y, steps }: Stroke, places: Places): void {
  const { across, up, log, domain } = places;
  const breaks = breaksOf(steps);
  const [first, last] = within(x, domain);
  let [column, low, high, at, drawing] = [0, 0, 0, 0, false];
  const close = () => {
    if (!drawing) return;
    if (low < high) {
      context.lineTo(column, low);
      context.lineTo(column, high);
    }
    context.lineTo(column, at);
  };
  context.beginPath();
  for (let i = first; i < last; i++) {
    const value = y[i] as number;
    if (leftOut(value, log)) {
      close();
      drawing = false;
      continue;
    }
    if (drawing && breaks(i)) {
      close();
      drawing = false;
    }
    const here = Math.round(across(x[i] as number));
    const height = up(value);
    if (drawing && here === column) {
      low = Math.min(low, height);
      high = Math.max(high, height);
    } else {
      close();
      if (drawing) context.lineTo(here, height);
      else context.moveTo(here, height);
      [column, low, high, drawing] = [here, height, height, true];
    }
    at = height;
  }
  close();
  context.stroke();
}

function mark(context: CanvasRenderingContext2D, { x, y }: Stroke, places: Places, radius: number) {
  for (let i = 0; i < x.length; i++) {
    if (leftOut(y[i] as number, places.log)) continue;
    context.beginPath();
    context.arc(places.across(x[i] as number), places.up(y[i] as number), radius, 0, 2 * Math.PI);
    context.fill();
  }
}

/** Is the text around light, and so the ground dark? */
function isDark(canvas: HTMLCanvasElement): boolean {
  const [red = 0, green = 0, blue = 0] = getComputedStyle(canvas).color.match(/[\d.]+/g) ?? [];
  return Number(red) + Number(green) + Number(blue) > 384;
}

/** Draws lines over all of a canvas of so many CSS pixels. */
export function drawLines(
  canvas: HTMLCanvasElement,
  [width, height]: readonly [number, number],
  strokes: readonly Stroke[],
  domain: Domain,
  scale: Scale,
): void {
  const pixels = devicePixelRatio;
  canvas.width = Math.round(width * pixels);
  canvas.height = Math.round(height * pixels);
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const [from, to] = domain;
  const places: Places = {
    across: (x) => ((x - from) / (to - from)) * canvas.width,
    up: (y) => (1 - share(scale, y)) * canvas.height,
    log: scale.log,
    domain,
  };
  context.lineJoin = "bevel";
  const behind = FAINT[isDark(canvas) ? 1 : 0];
  for (const stroke of strokes) {
    const { color, dash, faint } = stroke;
    context.strokeStyle = context.fillStyle = color;
    context.globalAlpha = faint ? behind : 1;
    context.lineWidth = (faint ? FAINT_WIDTH : WIDTH) * pixels;
    context.lineCap = dash.length ? "butt" : "round";
    context.setLineDash(faint ? [] : dash.map((part) => part * pixels));
    trace(context, stroke, places);
    if (!faint && stroke.x.length < FEW) mark(context, stroke, places, RADIUS * pixels);
  }
}
