// Thousands of units as thin bars about a zero line, wrapped like lines of text.
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { cssColor } from "../../shared/color";
import { exact } from "../../shared/format";
import { useSize } from "../../shared/size";
import { useBrowser } from "./state";

const BAR = 4;
const LINE = 72;

export interface UnitChartProps {
  values: ArrayLike<number>;
  /** Unit numbers in the order to show them. */
  units: readonly number[];
  caption: string;
  /** The value of a full bar. */
  limit: number;
}

export function UnitChart({ values, units, caption, limit }: UnitChartProps) {
  const { channel } = useBrowser();
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width } = useSize(box);
  const over = useSignal<number | null>(null);
  const lines = Math.ceil(units.length / Math.max(1, Math.floor(width / BAR)));
  const perLine = Math.ceil(units.length / lines);
  const chosen = channel.value;
  useLayoutEffect(() => {
    if (canvas.current && width)
      draw(canvas.current, { values, units, limit, chosen, width, perLine, lines });
  }, [values, units, limit, chosen, width]);
  const unitAt = ({ offsetX, offsetY }: MouseEvent) =>
    units[Math.floor(offsetY / LINE) * perLine + Math.floor((offsetX / width) * perLine)];
  const told = over.value;
  return (
    <figure>
      <figcaption>
        {caption} {told !== null && `unit ${told}: ${exact(values[told] ?? Number.NaN)}`}
      </figcaption>
      <div ref={box} />
      <canvas
        ref={canvas}
        role="img"
        aria-label={`${units.length} units as bars about zero, ±${exact(limit)} at the ends; arrow keys choose a unit`}
        tabIndex={0}
        style={{ height: `${lines * LINE}px` }}
        onPointerMove={(event) => (over.value = unitAt(event) ?? null)}
        onPointerLeave={() => (over.value = null)}
        onClick={(event) => (channel.value = unitAt(event) ?? chosen)}
      />
    </figure>
  );
}

interface Drawn {
  values: ArrayLike<number>;
  units: readonly number[];
  limit: number;
  chosen: number;
  width: number;
  perLine: number;
  lines: number;
}

function draw(
  canvas: HTMLCanvasElement,
  { values, units, limit, chosen, width, perLine, lines }: Drawn,
): void {
  const density = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(lines * LINE * density);
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.scale(density, density);
  const bar = width / perLine;
  const text = getComputedStyle(canvas).color;
  const scale = { low: -limit, high: limit, table: "activations" } as const;
  units.forEach((unit, i) => {
    const value = values[unit] ?? 0;
    const x = (i % perLine) * bar;
    const zero = (Math.floor(i / perLine) + 0.5) * LINE;
    const size =
      ((LINE - 8) / 2) * (Number.isFinite(value) && limit ? value / limit : Math.sign(value) || 0);
    context.fillStyle =
      unit === chosen
        ? text
        : cssColor(value < 0 ? Math.min(value, -limit / 2) : Math.max(value, limit / 2), scale);
    context.fillRect(
      x,
      zero - Math.max(0, size),
      Math.max(1, bar - 1),
      Math.max(0.5, Math.abs(size)),
    );
    if (unit === chosen) context.fillRect(x, zero + LINE / 2 - 3, Math.max(3, bar - 1), 3);
  });
  context.fillStyle = text;
  context.globalAlpha = 0.35;
  for (let line = 0; line < lines; line++) context.fillRect(0, (line + 0.5) * LINE - 0.5, width, 1);
}
