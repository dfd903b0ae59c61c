// How the picture climbs: what acts from the next step on, and what begins anew.
import type { Signal } from "@preact/signals";
import { Button } from "../../shared/button";
import { Choice, decades, evenly, Stops, Whole } from "./control";
import { automatic, NEEDS_KERNEL } from "./describe";
import { type State, useAscent } from "./state";

const WEIGHTS = decades([0], -4, 6);
const MOST_STEPS = 2048;
const [JITTER, LARGE] = [16, 64];

const DIRECTIONS = [
  [1, "up: what it likes"],
  [-1, "down: what it avoids"],
] as const;

type Slid = "tv" | "l2" | "jitter" | "lr" | "p_norm" | "blur_sigma" | "clip" | "zoom" | "rotation";
type Slide = [name: Slid, label: string, values: (number | null)[], unit?: string];

/** Sliders: those at hand, and those that are turned more seldom. */
const OFTEN: Slide[] = [
  ["tv", "Total variation", decades([null, 0], -4, 6)],
  ["l2", "L2", WEIGHTS],
  ["jitter", "Jitter", [null, 0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64], "px"],
  ["lr", "Rate", decades([], -3, 0)],
];
const SELDOM: Slide[] = [
  ["p_norm", "p-norm", WEIGHTS],
  ["blur_sigma", "Blur", evenly(0, 3, 0.25), "px"],
  ["clip", "Clip", evenly(0, 0.9, 0.05), "of all"],
  ["zoom", "Zoom", [null, ...evenly(0, 0.3, 0.01)]],
  ["rotation", "Rotation", [null, ...evenly(0, 45, 1)], "°"],
];

/** What moves are where they are automatic, as in `cnnwidgets.ascent.settings.usual_moves`. */
function movesOf({ size, shape, subject, layers }: State) {
  const side = Math.min(...(size.value ? [size.value] : shape.value.slice(1)));
  const { value: now } = subject;
  const neuron = now.kind === "unit" && now.at ? now.layer : undefined;
  const jump = layers.value.find(({ name }) => name === neuron)?.jump;
  const room = jump ? jump / 4 : Number.POSITIVE_INFINITY;
  const jitter = Math.min(Math.max(1, Math.round(side / JITTER)), room);
  const [zoom, rotation] = side >= LARGE && !jump ? [0.2, 10] : [0.05, 5];
  return { jitter, zoom, rotation };
}

/** The automatic weight of the total variation in the newest step; of several, that of the picture with once it. */
function weightOf({ film: { value: film }, tv }: State): number {
  film?.version.value;
  const { panels = [] } = film ?? {};
  const once = panels.findIndex(({ smoothing }) => smoothing === 1);
  const at = once < 0 ? panels.findIndex(({ smoothing }) => smoothing > 0) : once;
  const panel = panels[at];
  if (!film || !panel || film.live.tv !== null || tv.value !== null) return Number.NaN;
  return film.tv(film.measuredAt(film.last, at), at) / panel.smoothing;
}

/** What sliders stand for where they are automatic. */
const USUAL: Partial<Record<Slid, (state: State) => string>> = {
  tv: (state) => automatic(weightOf(state)),
  jitter: (state) => automatic(movesOf(state).jitter, "px"),
  zoom: (state) => automatic(movesOf(state).zoom),
  rotation: (state) => automatic(movesOf(state).rotation, "°"),
};

function Slides({ of }: { of: Slide[] }) {
  const state = useAscent();
  return of.map(([name, label, values, unit]) => (
    <Stops
      key={name}
      {...{ label, values, unit }}
      usual={USUAL[name]?.(state)}
      value={state[name].value}
      disabled={state.alone.value}
      onChange={(value) => ((state[name] as Signal<number | null>).value = value)}
    />
  ));
}

/** What may be turned while it runs. */
function AtOnce() {
  const { direction, steps, alone } = useAscent();
  return (
    <fieldset class="cnnw-ga-group">
      <legend>
        Acts at once <small>from the next step on</small>
      </legend>
      <Choice label="Direction" trait={direction} options={DIRECTIONS} />
      <Slides of={OFTEN} />
      <Whole
        label="Steps"
        value={steps.value}
        min={1}
        max={MOST_STEPS}
        disabled={alone.value}
        onChange={(value) => (steps.value = value as number)}
      />
      <details>
        <summary>More regularisers</summary>
        <div>
          <Slides of={SELDOM} />
        </div>
      </details>
    </fieldset>
  );
}

const STARTS = [
  ["noise", "noise"],
  ["zeros", "zeros (black)"],
  ["mean", "mean of the data"],
] as const;
const MADE_OF = [
  ["fourier", "Fourier coefficients"],
  ["pixel", "pixels"],
] as const;
const OPTIMISERS = [
  ["adam", "Adam"],
  ["sgd", "normalised gradients"],
] as const;

/** What a change of begins anew. */
function Anew() {
  const { start_from, seed, size, parametrization, optimizer, shape, alone } = useAscent();
  const disabled = alone.value;
  const { value: start } = start_from;
  const given = STARTS.every(([key]) => key !== start);
  return (
    <fieldset class="cnnw-ga-group">
      <legend>
        Starts over <small>at once while it runs, else with Run</small>
      </legend>
      <Choice
        label="Start"
        trait={start_from}
        options={given ? [...STARTS, [start, start]] : STARTS}
      />
      <div class="cnnw-ga-row">
        <Whole
          label="Seed"
          value={seed.value}
          min={0}
          disabled={disabled}
          onChange={(value) => (seed.value = value as number)}
        />
        <Button disabled={disabled} title="The next seed" onClick={() => seed.value++}>
          Another
        </Button>
      </div>
      <Whole
        label="Size"
        value={size.value}
        min={8}
        none={`usual: ${shape.value.slice(1).join("×")}`}
        disabled={disabled}
        onChange={(value) => (size.value = value)}
      />
      <Choice label="Made of" trait={parametrization} options={MADE_OF} />
      <Choice label="Optimiser" trait={optimizer} options={OPTIMISERS} />
    </fieldset>
  );
}

export function Settings() {
  const { alone } = useAscent();
  return (
    <div class="cnnw-ga-side">
      {alone.value && <p class="cnnw-note">{NEEDS_KERNEL}</p>}
      <AtOnce />
      <Anew />
    </div>
  );
}
