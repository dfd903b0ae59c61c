// One chart: curves that measure the same, of all runs shown.
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { number } from "../../shared/format";
import { handled } from "../../shared/keys";
import { useSize } from "../../shared/size";
import { align } from "./align";
import { TICK, WHERE } from "./describe";
import { draw, HEIGHT, MARGIN, type Stroke } from "./drawing";
import { FindingMarks } from "./finding_marks";
import { type Line, missing, summary } from "./lines";
import { usePointing } from "./pointing";
import { Reading } from "./reading";
import { type State, useMonitor } from "./state";
import { walk } from "./walking";

/** Fewer points than these are marked each. */
const FEW = 80;

export type Domain = readonly [from: number, to: number];

interface ChartProps {
  title: string;
  unit: string;
  lines: readonly Line[];
  domain: Domain;
}

/** The canvas, drawn anew when the lines, the width, the axes or the colours of the page change. */
function useDrawing(lines: readonly Line[], domain: Domain) {
  const { log_y, x } = useMonitor();
  const [log, clock] = [log_y.value, x.value];
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shown = useRef(domain);
  shown.current = domain;
  const { width } = useSize(host);
  const { strokes, data } = useMemo(() => drawable(lines, log), [lines, log]);
  const form = JSON.stringify([strokes, log, clock, width > 0]);
  useLayoutEffect(() => {
    if (!host.current || !width) return;
    const look = {
      strokes,
      log,
      formatX: TICK[clock],
      formatY: short,
      domain: () => shown.current,
    };
    plot.current = draw(host.current, width, data, look);
    return () => {
      plot.current?.destroy();
      plot.current = null;
    };
  }, [form]);
  useLayoutEffect(() => {
    if (plot.current && plot.current.data !== (data as unknown))
      plot.current.setData(data as uPlot.AlignedData);
  }, [data]);
  useLayoutEffect(() => plot.current?.setData(plot.current.data), [domain[0], domain[1]]);
  useLayoutEffect(() => {
    if (plot.current && plot.current.width !== width && width)
      plot.current.setSize({ width, height: plot.current.height });
  }, [width]);
  return { host, recolor: () => plot.current?.redraw(false) };
}

const short = (y: number) => number(y, 3);

/** The raw lines behind, those smoothed before them. */
function drawable(lines: readonly Line[], log: boolean) {
  const stroke = ({ color, dash, raw }: Line, faint: boolean): Stroke => ({
    ...{ color, dash, faint },
    marked: raw.length < FEW,
  });
  const behind = lines.filter(({ smoothed }) => smoothed);
  return {
    strokes: [
      ...behind.map((line) => stroke(line, true)),
      ...lines.map((line) => stroke(line, false)),
    ],
    data: align(
      [
        ...behind.map(({ x, raw }) => ({ x, y: raw })),
        ...lines.map(({ x, raw, smoothed }) => ({ x, y: smoothed ?? raw })),
      ],
      log,
    ),
  };
}

/** A vertical line through the chart; nothing where it lies outside of what is shown. */
function Upright({
  at,
  domain: [from, to],
  kind,
}: {
  at: number | undefined;
  domain: Domain;
  kind: string;
}) {
  const share = at === undefined ? Number.NaN : (at - from) / (to - from || 1);
  return share >= 0 && share <= 1 ? (
    <i class="cnnw-tm-upright" data-kind={kind} style={{ left: `${100 * share}%` }} />
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

/** Plus and minus zoom about the chosen step. */
function onKey(state: State, event: KeyboardEvent, [from, to]: Domain): void {
  const { zoom, hands, step } = state;
  const factor = { "+": 1 / 2, "=": 1 / 2, "-": 2 }[event.key];
  if (factor) {
    const middle = hands.value?.at(step.value) ?? (from + to) / 2;
    const half = (factor * (to - from)) / 2;
    zoom.value = zoom.value || factor < 1 ? [middle - half, middle + half] : null;
  } else if (event.key === "Escape" && zoom.value) zoom.value = null;
  else {
    walk(state, event, []);
    return;
  }
  handled(event);
}

export function Chart({ title, unit, lines, domain }: ChartProps) {
  const state = useMonitor();
  const { zoom, hover, x } = state;
  const { host, recolor } = useDrawing(lines, domain);
  const [from, to] = domain;
  const valueAt = (share: number) => from + share * (to - from);
  const { selected, handlers } = usePointing({
    share: (px, width) => (px - MARGIN.left) / (width - MARGIN.left - MARGIN.right),
    hover: (share) => {
      hover.value = share === null ? null : valueAt(share);
    },
    click: (share) => state.goTo(valueAt(share)),
    stretch: (a, b) => {
      zoom.value = [valueAt(a), valueAt(b)];
    },
  });
  const where = WHERE[x.value];
  const said = useMemo(() => summary(title, unit, lines, where), [title, unit, lines, where]);
  const gaps = useMemo(() => missing(lines, state.log_y.value), [lines, state.log_y.value]);
  const drawn = selected.value;
  return (
    <figure class="cnnw-tm-chart" data-title={title}>
      <Reading title={title} unit={unit} lines={lines} />
      <div
        class="cnnw-tm-area"
        role="application"
        aria-label={`${said} Arrow keys: one recorded step; plus and minus: zoom; Escape: all of it.`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application is interactive
        tabIndex={0}
        onDblClick={() => {
          zoom.value = null;
        }}
        onKeyDown={(event) => onKey(state, event, domain)}
        onTransitionRun={recolor}
        onTransitionEnd={recolor}
        {...handlers}
      >
        <div ref={host} style={{ height: HEIGHT }} />
        <div
          class="cnnw-tm-over"
          style={{ left: MARGIN.left, right: MARGIN.right, top: MARGIN.top, bottom: MARGIN.bottom }}
        >
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
