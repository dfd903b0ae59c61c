// One chart: curves that measure the same, of all runs shown.
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { handled } from "../../shared/keys";
import { useSize } from "../../shared/size";
import type { Tick } from "./axis";
import { placesOf, WHERE } from "./describe";
import {
  type Domain,
  drawLines,
  type Scale,
  type Stroke,
  scaleOf,
  share,
  ticksOf,
} from "./drawing";
import { FindingMarks } from "./finding_marks";
import { type Line, missing, summary } from "./lines";
import { usePointing } from "./pointing";
import { Reading } from "./reading";
import { type State, useMonitor } from "./state";
import { walk } from "./walking";

/** Room for the ticks around the lines, and what there is for the lines (CSS pixels). */
const [LEFT, RIGHT, TOP, BOTTOM, HEIGHT] = [46, 12, 8, 22, 160];
/** Room for each tick. */
const [TICK_WIDTH, TICK_HEIGHT] = [75, 32];

/** The raw lines behind, those smoothed before them. */
function strokesOf(lines: readonly Line[]): Stroke[] {
  const behind = lines.flatMap(({ x, raw, smoothed, color, dash }) =>
    smoothed ? [{ x, y: raw, color, dash, faint: true }] : [],
  );
  const before = lines.map(({ x, raw, smoothed, color, dash }) => ({
    ...{ x, y: smoothed ?? raw, color, dash },
    faint: false,
  }));
  return [...behind, ...before];
}

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

function Lines({ strokes, domain, scale }: LinesProps) {
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

interface UprightProps {
  at: number | undefined;
  domain: Domain;
  kind: "step" | "pinned" | "hover";
}

/** A vertical line through the chart; nothing where it lies outside of what is shown. */
function Upright({ at, domain: [from, to], kind }: UprightProps) {
  const place = at === undefined ? Number.NaN : (at - from) / (to - from);
  return place >= 0 && place <= 1 ? (
    <i class="cnnw-tm-upright" data-kind={kind} style={{ left: `${100 * place}%` }} />
  ) : null;
}

function Uprights({ domain }: { domain: Domain }) {
  const { hands, step, pinned, hover } = useMonitor();
  const at = hands.value?.at;
  return (
    <>
      {pinned.value !== null && <Upright at={at?.(pinned.value)} domain={domain} kind="pinned" />}
      <Upright at={at?.(step.value)} domain={domain} kind="step" />
      {hover.value !== null && <Upright at={hover.value} domain={domain} kind="hover" />}
    </>
  );
}

/** Plus and minus zoom about the chosen step; the arrow keys go to other steps. */
function onKey(state: State, event: KeyboardEvent, [from, to]: Domain): void {
  const { zoom, hands, step } = state;
  const factor = { "+": 1 / 2, "=": 1 / 2, "-": 2 }[event.key];
  if (factor && (zoom.value || factor < 1)) {
    const middle = hands.value?.at(step.value) ?? (from + to) / 2;
    const half = (factor * (to - from)) / 2;
    zoom.value = [middle - half, middle + half];
  } else if (event.key === "Escape" && zoom.value) zoom.value = null;
  else {
    walk(state, event, []);
    return;
  }
  handled(event);
}

function usePlaces([from, to]: Domain) {
  const { zoom, hover, goTo } = useMonitor();
  const valueAt = (place: number) => from + place * (to - from);
  return usePointing({
    share: (px, width) => (px - LEFT) / (width - LEFT - RIGHT),
    hover: (place) => {
      hover.value = place === null ? null : valueAt(place);
    },
    click: (place) => goTo(valueAt(place)),
    stretch: (a, b) => {
      zoom.value = [valueAt(a), valueAt(b)];
    },
  });
}

interface ChartProps {
  title: string;
  unit: string;
  lines: readonly Line[];
  domain: Domain;
}

export function Chart({ title, unit, lines, domain }: ChartProps) {
  const state = useMonitor();
  const { selected, handlers } = usePlaces(domain);
  const where = WHERE[state.x.value];
  const log = state.log_y.value;
  const said = useMemo(
    () => summary(title, unit, lines, where),
    [title, unit, where, ...lines.flatMap(({ label, x, raw }) => [label, x, raw])],
  );
  const [from, to] = domain;
  const strokes = useMemo(() => strokesOf(lines), [lines]);
  const scale = useMemo(() => scaleOf(strokes, [from, to], log), [strokes, from, to, log]);
  const gaps = useMemo(() => missing(lines, [from, to], scale), [lines, scale]);
  const drawn = selected.value;
  return (
    <figure
      class="cnnw-tm-chart"
      data-title={title}
      data-from={from}
      data-to={to}
      data-low={scale.from}
      data-high={scale.to}
    >
      <Reading title={title} unit={unit} lines={lines} />
      <div
        class="cnnw-tm-area"
        role="application"
        aria-label={`${said} Arrow keys: one recorded step; plus and minus: zoom; Escape: all of it.`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys walk through it
        tabIndex={0}
        onDblClick={() => {
          state.zoom.value = null;
        }}
        onKeyDown={(event) => onKey(state, event, domain)}
        {...handlers}
      >
        <Lines strokes={strokes} domain={domain} scale={scale} />
        <div class="cnnw-tm-over" style={{ inset: `${TOP}px ${RIGHT}px ${BOTTOM}px ${LEFT}px` }}>
          {drawn && (
            <i
              class="cnnw-tm-stretch"
              style={{ left: `${100 * drawn[0]}%`, right: `${100 - 100 * drawn[1]}%` }}
            />
          )}
          <Uprights domain={domain} />
          <FindingMarks title={title} domain={domain} />
        </div>
      </div>
      {gaps && <small>{gaps}</small>}
    </figure>
  );
}
