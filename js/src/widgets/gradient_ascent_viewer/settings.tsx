// How the picture climbs: what acts from the next step on, and what begins anew.
import type { Signal } from "@preact/signals";
import { Button } from "../../shared/button";
import { Choice, decades, evenly, Stops, Whole } from "./control";
import { useAscent } from "./state";

const RATES = decades([], -3, 0) as number[];
const VARIATIONS = decades([null, 0], -4, 6);
const WEIGHTS = decades([0], -4, 6) as number[];
const JITTERS = [null, 0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
const OFF = { zero: "off" };
const AUTOMATIC = { none: "automatic", zero: "off" };
const MOST_STEPS = 2048;

const DIRECTIONS: readonly [number, string][] = [
  [1, "up: what it likes"],
  [-1, "down: what it avoids"],
];

/** Sliders that are turned more seldom: label, values, unit. */
const MORE = [
  ["p_norm", "p-norm", WEIGHTS, ""],
  ["blur", "Blur", evenly(0, 3, 0.25), "px"],
  ["clip", "Clip", evenly(0, 0.9, 0.05), "of the pixels"],
  ["zoom", "Zoom", evenly(0, 0.3, 0.01), "at most"],
  ["rotation", "Rotation", evenly(0, 45, 1), "° at most"],
] as const;

const put =
  <T,>(trait: Signal<T>) =>
  (value: T) => {
    trait.value = value;
  };

function More() {
  const state = useAscent();
  return (
    <details>
      <summary>More regularisers</summary>
      {MORE.map(([name, label, values, unit]) => (
        <Stops
          key={name}
          {...{ label, values, unit, words: OFF }}
          value={state[name].value}
          disabled={state.alone.value}
          onChange={put(state[name])}
        />
      ))}
    </details>
  );
}

/** What may be turned while it runs. */
function AtOnce() {
  const { direction, steps, lr, tv, l2, jitter, compare, alone } = useAscent();
  const disabled = alone.value;
  const swept = compare.value === "tv";
  return (
    <fieldset class="cnnw-ga-group">
      <legend>
        Acts at once <small>from the next step on</small>
      </legend>
      <Choice
        label="Direction"
        value={direction.value}
        options={DIRECTIONS}
        disabled={disabled || compare.value === "sad"}
        onChange={put(direction)}
      />
      <Stops
        label="Total variation"
        values={VARIATIONS}
        value={tv.value}
        words={AUTOMATIC}
        disabled={disabled || swept}
        onChange={put(tv)}
      />
      <Stops
        label="L2"
        values={WEIGHTS}
        value={l2.value}
        words={OFF}
        disabled={disabled}
        onChange={put(l2)}
      />
      <Stops
        label="Jitter"
        values={JITTERS}
        value={jitter.value}
        unit="px"
        words={AUTOMATIC}
        disabled={disabled}
        onChange={put(jitter)}
      />
      <Stops label="Rate" values={RATES} value={lr.value} disabled={disabled} onChange={put(lr)} />
      <Whole
        label="Steps"
        value={steps.value}
        min={1}
        max={MOST_STEPS}
        disabled={disabled}
        onChange={(value) => (steps.value = value ?? steps.value)}
      />
      <More />
    </fieldset>
  );
}

const STARTS = ["noise", "zeros", "mean"];
const START_WORDS: Record<string, string> = {
  noise: "noise",
  zeros: "zeros (black)",
  mean: "mean of the data",
};

/** What a change of begins anew. */
function Anew() {
  const { start_from, seed, size, parametrization, optimizer, shape, alone } = useAscent();
  const disabled = alone.value;
  const starts = STARTS.includes(start_from.value) ? STARTS : [...STARTS, start_from.value];
  return (
    <fieldset class="cnnw-ga-group">
      <legend>
        Starts over <small>at once while it runs, else with Run</small>
      </legend>
      <Choice
        label="Start"
        value={start_from.value}
        options={starts.map((key) => [key, START_WORDS[key] ?? key] as const)}
        disabled={disabled}
        onChange={put(start_from)}
      />
      <div class="cnnw-ga-row">
        <Whole
          label="Seed"
          value={seed.value}
          min={0}
          disabled={disabled}
          onChange={(value) => (seed.value = value ?? 0)}
        />
        <Button disabled={disabled} title="The next seed" onClick={() => seed.value++}>
          Another
        </Button>
      </div>
      <Whole
        label="Size"
        value={size.value}
        min={8}
        none={`the network’s (${shape.value.slice(1).join(" × ")})`}
        disabled={disabled}
        onChange={put(size)}
      />
      <Choice
        label="Made of"
        value={parametrization.value}
        options={[
          ["fourier", "Fourier coefficients"],
          ["pixel", "pixels"],
        ]}
        disabled={disabled}
        onChange={put(parametrization)}
      />
      <Choice
        label="Optimiser"
        value={optimizer.value}
        options={[
          ["adam", "Adam"],
          ["sgd", "normalised gradients"],
        ]}
        disabled={disabled}
        onChange={put(optimizer)}
      />
    </fieldset>
  );
}

export function Settings() {
  return (
    <div class="cnnw-ga-side">
      <AtOnce />
      <Anew />
    </div>
  );
}
