// Lines on a canvas, and the scale that they are drawn to.
import { number } from "../../shared/format";
import { roundTicks, type Tick } from "./axis";
import { lowerBound } from "./sorted";

export interface Stroke {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
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
const FEW = 80;
const [WIDTH, FAINT_WIDTH, RADIUS, FAINT] = [1.6, 1, 2.5, 0.35];
/** What the vertical axis has beyond its values. */
const ROOM = 0.06;

/** A value that has no place on the axis. */
export const leftOut = (value: number, log: boolean): boolean =>
  !Number.isFinite(value) || (log && value <= 0);

/** Where a value is between the ends of a scale, 0 … 1. */
export function share({ from, to, log }: Scale, value: number): number {
  const of = log ? Math.log : (x: number) => x;
  return (of(value) - of(from)) / (of(to) - of(from));
}

/** The points between two places, and their neighbours outside. */
const within = (x: ArrayLike<number>, [from, to]: Domain): Domain => [
  Math.max(0, lowerBound(x, from) - 1),
  Math.min(x.length, lowerBound(x, to) + 2),
];

/** A scale that holds what is to be seen, with a little room; a logarithmic one ends at single digits. */
export function scaleOf(strokes: readonly Stroke[], domain: Domain, log: boolean): Scale {
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
  if (low > high) return { from: log ? 0.1 : 0, to: 1, log };
  if (log) {
    const power = (value: number) => 10 ** Math.floor(Math.log10(value));
    const from = Math.floor(low / power(low)) * power(low);
    const to = Math.ceil(high / power(high)) * power(high);
    return { from, to: to > from ? to : 2 * from, log };
  }
  const room = high > low ? ROOM * (high - low) : Math.abs(high) / 10 || 1;
  return { from: low >= 0 && low < room ? 0 : low - room, to: high + room, log };
}

const short = (value: number) => number(value, 3);

/** Round values along a vertical axis; where it spans few powers of ten also twice and five times these. */
export function ticksOf({ from, to, log }: Scale, most: number): Tick[] {
  if (!log) return roundTicks(from, to, most, short);
  const [low, high] = [Math.floor(Math.log10(from)), Math.ceil(Math.log10(to))];
  const apart = Math.ceil((high - low) / most);
  const digits = high - low > most / 2 ? [1] : [1, 2, 5];
  const out: Tick[] = [];
  for (let power = low; power <= high; power += apart)
    for (const digit of digits) {
      const at = digit * 10 ** power;
      if (at >= from * 0.999 && at <= to * 1.001) out.push({ at, text: short(at) });
    }
  return out;
}

/** Where a canvas has its points. */
interface Places {
  across: (x: number) => number;
  up: (y: number) => number;
  log: boolean;
  domain: Domain;
}

/** Of all points in one column of pixels only the first, the ends and the last are drawn. */
function trace(context: CanvasRenderingContext2D, { x, y }: Stroke, places: Places): void {
  const { across, up, log, domain } = places;
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
  context.lineJoin = "round";
  for (const stroke of strokes) {
    const { color, dash, faint } = stroke;
    context.strokeStyle = context.fillStyle = color;
    context.globalAlpha = faint ? FAINT : 1;
    context.lineWidth = (faint ? FAINT_WIDTH : WIDTH) * pixels;
    context.lineCap = dash.length ? "butt" : "round";
    context.setLineDash(faint ? [] : dash.map((part) => part * pixels));
    trace(context, stroke, places);
    if (!faint && stroke.x.length < FEW) mark(context, stroke, places, RADIUS * pixels);
  }
}
