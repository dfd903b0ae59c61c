// One chart: curves that measure the same, of all runs shown.
import { useMemo, useRef } from "preact/hooks";
import { handled } from "../../shared/keys";
import { BOTTOM, LEFT, Lines, RIGHT, TOP } from "./chart_lines";
import { WHERE } from "./describe";
import { type Domain, type Stroke, scaleOf } from "./drawing";
import { FindingMarks } from "./finding_marks";
import { type Line, missing, summary } from "./lines";
import { usePointing } from "./pointing";
import { Reading } from "./reading";
import { type State, useMonitor } from "./state";
import { walk } from "./walking";

/** The raw lines behind, those smoothed before them. */
function strokesOf(lines: readonly Line[]): Stroke[] {
  const behind = lines.flatMap(({ x, raw, smoothed, color, dash, curve: { steps } }) =>
    smoothed ? [{ x, y: raw, steps, color, dash, faint: true }] : [],
  );
  const before = lines.map(({ x, raw, smoothed, color, dash, curve: { steps } }) => ({
    ...{ x, y: smoothed ?? raw, steps, color, dash },
    faint: false,
  }));
  return [...behind, ...before];
}

interface UprightProps {
  at: number | undefined;
  domain: Domain;
  kind: "step" | "pinned" | "hover";
  /** What stands at its top. */
  text?: string | undefined;
}

/** A vertical line through the chart; nothing where it lies outside of what is shown. */
function Upright({ at, domain: [from, to], kind, text }: UprightProps) {
  const place = at === undefined ? Number.NaN : (at - from) / (to - from);
  return place >= 0 && place <= 1 ? (
    <i
      class="cnnw-tm-upright"
      data-kind={kind}
      data-side={place < 0.75 ? "right" : "left"}
      style={{ left: `${100 * place}%` }}
    >
      {text && ` ${text} `}
    </i>
  ) : null;
}

function Uprights({ domain }: { domain: Domain }) {
  const { hands, step, pinned, hover, follow, x } = useMonitor();
  const at = hands.value?.at;
  const chosen = at?.(step.value);
  const text = follow.value || chosen === undefined ? undefined : WHERE[x.value](chosen);
  return (
    <>
      {pinned.value !== null && <Upright at={at?.(pinned.value)} domain={domain} kind="pinned" />}
      <Upright at={chosen} domain={domain} kind="step" text={text} />
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
    walk(state, event);
    return;
  }
  handled(event);
}

/** A double click is two clicks before it is one; what they did is taken back. */
const DOUBLE_CLICK = 600;

function usePlaces([from, to]: Domain) {
  const { zoom, hover, goTo, go, step, follow } = useMonitor();
  const before = useRef({ at: 0, step: 0, follow: false });
  const valueAt = (place: number) => from + place * (to - from);
  const pointing = usePointing({
    share: (px, width) => (px - LEFT) / (width - LEFT - RIGHT),
    hover: (place) => {
      hover.value = place === null ? null : valueAt(place);
    },
    click: (place) => {
      const at = performance.now();
      if (at - before.current.at > DOUBLE_CLICK)
        before.current = { at, step: step.peek(), follow: follow.peek() };
      goTo(valueAt(place));
    },
    stretch: (a, b) => {
      zoom.value = [valueAt(a), valueAt(b)];
    },
  });
  const onDblClick = () => {
    zoom.value = null;
    go(before.current.step);
    follow.value = before.current.follow;
  };
  return { ...pointing, onDblClick };
}

interface ChartProps {
  title: string;
  unit: string;
  lines: readonly Line[];
  domain: Domain;
}

export function Chart({ title, unit, lines, domain }: ChartProps) {
  const state = useMonitor();
  const { selected, handlers, onDblClick } = usePlaces(domain);
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
        onDblClick={onDblClick}
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
