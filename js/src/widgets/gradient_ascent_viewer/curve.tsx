// Score and gradient norm of every step, which are a scrub bar as well.
import { useRef } from "preact/hooks";
import { count, number } from "../../shared/format";
import { MARKS } from "../../shared/look";
import { pointOf } from "../../shared/pointers";
import { useSize } from "../../shared/size";
import { commonWords, liveWords, measured } from "./describe";
import type { Film } from "./film";
import { pathOf, type Range, rangeOf, smoothed, thinned } from "./plot";
import { type State, useAscent } from "./state";

const [LEFT, RIGHT, TOP] = [50, 12, 28];
/** Heights of the two plots, and of what is between and under them. */
const [SCORES, NORMS, BETWEEN, UNDER] = [96, 44, 32, 20];
/** Of the smoothed line of scores. */
const REACH = 8;
const HEIGHT = TOP + SCORES + BETWEEN + NORMS + UNDER;

export const colourOf = (panel: number): string => MARKS[panel % MARKS.length] as string;

interface PlotProps {
  film: Film;
  of: (step: number, panel: number) => number;
  range: Range;
  x: (step: number) => number;
  top: number;
  height: number;
  width: number;
  caption: string;
  /** Steps before and after that a second line is the mean of; without, there is none. */
  reach?: number;
}

/** Is there room for a number between two others? */
const clear = (at: number, ...others: number[]) => others.every((one) => Math.abs(one - at) > 12);

/** Lines of all pictures between a lowest and a highest number. */
function Plot({ film, of, range, x, top, height, width, caption, reach }: PlotProps) {
  const [low, high] = range;
  const { pointed, enlarged } = useAscent();
  const strong = pointed.value ?? enlarged.value;
  const y = (value: number) => top + height - ((value - low) / (high - low || 1)) * height;
  return (
    <g>
      <text x={LEFT} y={top - 12}>
        {caption}
      </text>
      {(low === high ? [low] : low < 0 && high > 0 ? [low, 0, high] : [low, high]).map((tick) => (
        <g key={tick}>
          <line x1={LEFT} x2={width - RIGHT} y1={y(tick)} y2={y(tick)} />
          {(tick || low === 0 || clear(y(0), y(low), y(high))) && (
            <text x={LEFT - 5} y={y(tick) + 4} text-anchor="end">
              {number(tick, 3)}
            </text>
          )}
        </g>
      ))}
      {film.panels.map(({ id }, panel) => {
        const values = (step: number) => of(step, panel);
        const lines = [values, ...(reach && film.length > reach ? [smoothed(values, reach)] : [])];
        return lines.map((line, smooth) => (
          <path
            key={`${id} ${smooth}`}
            d={pathOf(thinned(line, film.length, width), line, x, y)}
            stroke={colourOf(panel)}
            stroke-dasharray={panel < MARKS.length ? undefined : "5 3"}
            data-faint={strong !== null && strong !== id}
            data-raw={smooth < lines.length - 1}
          />
        ));
      })}
    </g>
  );
}

function* everyNumber({ length, panels }: Film, of: (step: number, panel: number) => number) {
  for (let step = 0; step < length; step++)
    for (let panel = 0; panel < panels.length; panel++) yield of(step, panel);
}

/** Where each class is the network's answer for the first time. */
function Firsts({ film, x }: { film: Film; x: (step: number) => number }) {
  return film.panels.map(({ id, label }, panel) => {
    const step = film.first[panel] ?? null;
    return (
      step !== null && (
        <g key={id} data-first={step} class="cnnw-ga-first" style={{ color: colourOf(panel) }}>
          <line x1={x(step)} x2={x(step)} y1={TOP} y2={TOP + SCORES} />
          <path d={`M${x(step)} ${TOP}l-5 -7h10z`}>
            <title>{`${label}: the network’s answer for the first time at step ${count(step)}`}</title>
          </path>
        </g>
      )
    );
  });
}

/** Where settings were changed. */
function Turns({ film, x, bottom }: { film: Film; x: (step: number) => number; bottom: number }) {
  return film.turns.slice(1).map(({ step, now }) => (
    <g key={step} data-turn={step} class="cnnw-ga-turn">
      <line x1={x(step)} x2={x(step)} y1={TOP} y2={bottom} />
      <path d={`M${x(step)} ${bottom}l-4 7h8z`}>
        <title>{`From step ${count(step)} on: ${liveWords(now)}`}</title>
      </path>
    </g>
  ));
}

function scrubbing({ scrub }: State, stepAt: (x: number) => number) {
  const drag = (event: PointerEvent & { currentTarget: HTMLElement }) =>
    scrub(stepAt(pointOf(event).x));
  return {
    onPointerDown(event: PointerEvent & { currentTarget: HTMLElement }) {
      if (event.button) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      drag(event);
    },
    onPointerMove(event: PointerEvent & { currentTarget: HTMLElement }) {
      if (event.currentTarget.hasPointerCapture(event.pointerId)) drag(event);
    },
  };
}

/** "step 128: score 12.3, gradient norm 0.4" of the picture that is pointed at, or the first. */
function readingOf({ shown, pointed, enlarged }: State, film: Film): string {
  const id = pointed.value ?? enlarged.value;
  const panel = Math.max(
    0,
    film.panels.findIndex((one) => one.id === id),
  );
  const { value: step } = shown;
  const at = film.measuredAt(step, panel);
  const name = film.panels.length > 1 && film.panels[panel];
  const which = name ? `${film.labelOf(name, step)}, ` : "";
  const turn = film.turnOf(step);
  const since = turn ? `; since step ${count(turn.step)}: ${liveWords(turn.now)}` : "";
  return `${which}step ${count(at)}: score ${measured(film.score(at, panel))}, gradient norm ${measured(film.norm(at, panel))}${since}`;
}

function captionOf(words: string): string {
  if (words.startsWith("probability")) return `${words} (0 … 1)`;
  return words.startsWith("log-odds") ? `${words} (0: as likely as not)` : words;
}

export function Curves({ film }: { film: Film }) {
  const state = useAscent();
  const ref = useRef<HTMLDivElement>(null);
  const width = Math.max(useSize(ref).width, 200);
  const { shown, last, steps, ended, classes, layers } = state;
  film.version.value;
  const end = Math.max(1, last.value, ended.value ? 0 : steps.value);
  const inner = width - LEFT - RIGHT;
  const x = (step: number) => LEFT + (step / end) * inner;
  const pointing = scrubbing(state, (at) => ((at - LEFT) / inner) * end);
  const words = commonWords(film.panels, classes.value, layers.value);
  const probability = words.startsWith("probability");
  const scores: Range = probability ? [0, 1] : rangeOf(everyNumber(film, film.score));
  const norms: Range = [0, rangeOf(everyNumber(film, film.norm))[1]];
  const bottom = TOP + SCORES + BETWEEN + NORMS;
  const common = { film, x, width };
  return (
    <div
      ref={ref}
      class="cnnw-ga-curves"
      role="slider"
      aria-label="Step, on the curves"
      aria-valuemin={0}
      aria-valuemax={last.value}
      aria-valuenow={shown.value}
      aria-valuetext={readingOf(state, film)}
      tabIndex={0}
      {...pointing}
    >
      <svg width={width} height={HEIGHT} aria-hidden="true">
        <Plot
          {...common}
          of={film.score}
          range={scores}
          top={TOP}
          height={SCORES}
          caption={captionOf(words)}
          reach={REACH}
        />
        <Plot
          {...common}
          of={film.norm}
          range={norms}
          top={TOP + SCORES + BETWEEN}
          height={NORMS}
          caption="gradient norm"
        />
        <Firsts film={film} x={x} />
        <Turns film={film} x={x} bottom={bottom} />
        {[0, end].map((step) => (
          <text key={step} x={x(step)} y={bottom + 14} text-anchor={step ? "end" : "start"}>
            {step ? `step ${count(step)}` : "0"}
          </text>
        ))}
        <line class="cnnw-ga-cursor" x1={x(shown.value)} x2={x(shown.value)} y1={TOP} y2={bottom} />
      </svg>
      <output>{readingOf(state, film)}</output>
      <p class="cnnw-note">
        A score is of the picture as its step moved it, so it trembles (thin; thick: the mean of up
        to {2 * REACH + 1} steps). The network’s answer is to the picture as it is shown, not moved:
        so the two may differ.
      </p>
    </div>
  );
}
