// The lines of a chart on their grid.
import { useLayoutEffect, useRef } from "preact/hooks";
import { useSize } from "../../shared/size";
import type { Tick } from "./axis";
import { placesOf } from "./describe";
import { type Domain, drawLines, type Scale, type Stroke, share, ticksOf } from "./drawing";
import { useMonitor } from "./state";

/** Room for the ticks around the lines, and what there is for the lines (CSS pixels). */
export const [LEFT, RIGHT, TOP, BOTTOM, HEIGHT] = [46, 12, 8, 22, 160];
/** Room for each tick. */
const [TICK_WIDTH, TICK_HEIGHT] = [75, 32];

interface GridProps {
  width: number;
  across: readonly Tick[];
  domain: Domain;
  scale: Scale;
}

/** Lines and numbers behind the curves. */
function Grid({ width, across, domain: [from, to], scale }: GridProps) {
  const bottom = TOP + HEIGHT;
  return (
    <svg width={LEFT + width + RIGHT} height={bottom + BOTTOM} aria-hidden="true">
      {across.map(({ at, text }) => {
        const x = LEFT + (width * (at - from)) / (to - from);
        return (
          <g key={at}>
            <line x1={x} x2={x} y1={TOP} y2={bottom + 4} />
            <text x={x} y={bottom + 16} text-anchor="middle">
              {text}
            </text>
          </g>
        );
      })}
      {ticksOf(scale, HEIGHT / TICK_HEIGHT).map(({ at, text }) => {
        const y = bottom - HEIGHT * share(scale, at);
        return (
          <g key={at}>
            <line x1={LEFT - 4} x2={LEFT + width} y1={y} y2={y} />
            <text x={LEFT - 7} y={y + 4} text-anchor="end">
              {text}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

interface LinesProps {
  strokes: readonly Stroke[];
  domain: Domain;
  scale: Scale;
}

export function Lines({ strokes, domain, scale }: LinesProps) {
  const { x } = useMonitor();
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = Math.max(0, useSize(box).width - LEFT - RIGHT);
  const [from, to] = domain;
  useLayoutEffect(() => {
    if (canvas.current && width)
      drawLines(canvas.current, [width, HEIGHT], strokes, [from, to], scale);
  }, [strokes, from, to, scale, width]);
  return (
    <div ref={box} style={{ height: `${TOP + HEIGHT + BOTTOM}px` }}>
      {width > 0 && (
        <>
          <Grid
            {...{ width, domain, scale }}
            across={placesOf(x.value, domain, width / TICK_WIDTH)}
          />
          <canvas
            ref={canvas}
            style={{
              left: `${LEFT}px`,
              top: `${TOP}px`,
              width: `${width}px`,
              height: `${HEIGHT}px`,
            }}
          />
        </>
      )}
    </div>
  );
}
