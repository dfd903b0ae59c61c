// A figure with two axes: a picture of pixels under lines and text, which is pointed at and walked through.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { pointOf } from "../../shared/pointers";
import { useSize } from "../../shared/size";
import type { Axis } from "./axis";

/** Room for ticks and titles around a figure (CSS pixels). */
const [LEFT, RIGHT, TOP, BOTTOM] = [52, 20, 8, 32];
const TICK = 4;

/** From values to pixels of the figure, and its edges. */
export interface Frame {
  across: (x: number) => number;
  up: (y: number) => number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

interface PlotProps {
  label: string;
  x: Axis;
  y: Axis;
  height: number;
  /** Room at the left, for ticks that are names. */
  left?: number;
  /** Draws the picture that fills the axes, `columns` pixels wide; keep it while it stays the same. */
  draw?: ((canvas: HTMLCanvasElement, columns: number) => void) | undefined;
  children?: (frame: Frame) => ComponentChildren;
  /** What changes with every step: on a layer of its own, so that nothing else is drawn again. */
  marks?: (frame: Frame) => ComponentChildren;
  /** The pointer is at a place, or has left. */
  onPoint?: (place: { x: number; y: number } | null) => void;
  /** Pressed at a place, or dragged to it. */
  onChoose?: (x: number, y: number) => void;
  onKeyDown?: (event: KeyboardEvent) => void;
}

/** A recorded row is drawn once, and a run has at most so many. */
export const COLUMNS = 512;

function frameOf({ x, y, height, left = LEFT }: PlotProps, width: number): Frame {
  const [right, bottom] = [Math.max(left + 1, width - RIGHT), height - BOTTOM];
  return {
    across: (value) => left + ((value - x.from) / (x.to - x.from)) * (right - left),
    up: (value) => bottom - ((value - y.from) / (y.to - y.from)) * (bottom - TOP),
    ...{ left, right, top: TOP, bottom },
  };
}

function Axes({ x, y, frame }: Pick<PlotProps, "x" | "y"> & { frame: Frame }) {
  const { across, up, left, right, top, bottom } = frame;
  return (
    <>
      {x.ticks.map(({ at, text }) => (
        <g key={at}>
          <line x1={across(at)} x2={across(at)} y1={bottom} y2={bottom + TICK} />
          <text x={across(at)} y={bottom + 14} text-anchor="middle">
            {text}
          </text>
        </g>
      ))}
      {y.ticks.map(({ at, text }) => (
        <g key={at}>
          <line x1={left - TICK} x2={left} y1={up(at)} y2={up(at)} />
          <text x={left - TICK - 2} y={up(at) + 3} text-anchor="end">
            {text}
          </text>
        </g>
      ))}
      <text x={(left + right) / 2} y={bottom + 28} text-anchor="middle">
        {x.title}
      </text>
      <text
        transform={`translate(9 ${(top + bottom) / 2}) rotate(-90)`}
        text-anchor="middle"
        class="cnnw-tm-y"
      >
        {y.title}
      </text>
    </>
  );
}

export function Plot(p: PlotProps) {
  const { label, height, draw, children, marks, onPoint, onChoose, onKeyDown } = p;
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width } = useSize(box);
  const frame = frameOf(p, width);
  const { left, right, top, bottom } = frame;
  const columns = Math.min(COLUMNS, Math.round(right - left));
  useLayoutEffect(() => {
    if (canvas.current && width) draw?.(canvas.current, columns);
  }, [draw, columns, !width]);
  const point = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    const at = pointOf(event);
    const within = (share: number) => Math.min(1, Math.max(0, share));
    const x = p.x.from + within((at.x - left) / (right - left)) * (p.x.to - p.x.from);
    const y = p.y.from + within((bottom - at.y) / (bottom - top)) * (p.y.to - p.y.from);
    onPoint?.({ x, y });
    if (event.buttons & 1) onChoose?.(x, y);
  };
  return (
    <div
      ref={box}
      class="cnnw-tm-plot"
      style={{ height: `${height}px` }}
      role="application"
      aria-roledescription="figure"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys walk through it
      tabIndex={0}
      onKeyDown={onKeyDown}
      onPointerDown={point}
      onPointerMove={point}
      onPointerLeave={({ pointerType }) => {
        if (pointerType !== "touch") onPoint?.(null);
      }}
    >
      {draw && (
        <canvas
          ref={canvas}
          style={{
            left: `${left}px`,
            top: `${top}px`,
            width: `${right - left}px`,
            height: `${bottom - top}px`,
          }}
        />
      )}
      {width > 0 && (
        <svg width={width} height={height} aria-hidden="true">
          <Axes x={p.x} y={p.y} frame={frame} />
          {children?.(frame)}
        </svg>
      )}
      {width > 0 && marks && (
        <svg class="cnnw-tm-marks" width={width} height={height} aria-hidden="true">
          {marks(frame)}
        </svg>
      )}
    </div>
  );
}

/** Points as an SVG path's. */
export const lineOf = (points: readonly (readonly [number, number])[]): string =>
  points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
