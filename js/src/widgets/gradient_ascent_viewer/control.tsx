// Labelled fields: a list to choose from, a number, and a slider over given values.
import type { Signal } from "@preact/signals";
import { Choice as Labelled } from "../../shared/choice";
import { number } from "../../shared/format";
import { Slider } from "../../shared/slider";
import { times } from "../../shared/times";
import { NEEDS_KERNEL } from "./describe";
import { useAscent } from "./state";

interface ChoiceProps<K extends string | number> {
  label: string;
  trait: Signal<K>;
  options: readonly (readonly [K, string])[];
  /** Is it of the view alone? */
  own?: boolean;
}

/** A list that writes a trait; without a kernel, nothing is chosen. */
export function Choice<K extends string | number>({ trait, own, ...list }: ChoiceProps<K>) {
  const { alone } = useAscent();
  return <Labelled {...list} of={trait} disabled={alone.value && !own && NEEDS_KERNEL} />;
}

interface WholeProps {
  label: string;
  value: number | null;
  min: number;
  max?: number | undefined;
  /** What an empty field means; it may not be empty without. */
  none?: string | undefined;
  disabled?: boolean | undefined;
  onChange: (value: number | null) => void;
}

/** A whole number, taken once it is typed. */
export const Whole = ({ label, value, min, max, none, disabled, onChange }: WholeProps) => (
  <label>
    <span>{label}</span>
    <input
      type="number"
      {...{ min, max, disabled, value: value ?? "" }}
      placeholder={none}
      aria-label={label}
      onChange={({ currentTarget: field }) => {
        const given = Math.round(field.valueAsNumber);
        const empty = none === undefined ? value : null;
        const taken = Number.isNaN(given) ? empty : Math.min(Math.max(given, min), max ?? given);
        if (taken !== value) onChange(taken);
        field.value = String(taken ?? "");
      }}
    />
  </label>
);

/** `special` values, then four a decade from 10^low to 10^high, in two digits. */
export const decades = (special: readonly (number | null)[], low: number, high: number) => [
  ...special,
  ...times(4 * (high - low) + 1, (i) => Number((10 ** (low + i / 4)).toPrecision(2))),
];

/** From one value to another in equal steps. */
export const evenly = (from: number, to: number, step: number) =>
  times(Math.round((to - from) / step) + 1, (i) => Number((from + i * step).toPrecision(4)));

/** Where a value stands among others, or the nearest of them. */
export function placeOf(values: readonly (number | null)[], value: number | null): number {
  const exact = values.indexOf(value);
  if (exact >= 0 || value === null) return Math.max(0, exact);
  const apart = values.map((one) => (one === null ? Number.POSITIVE_INFINITY : far(one, value)));
  return apart.indexOf(Math.min(...apart));
}

/** How many times larger one is; of a zero, only from zero nothing. */
const far = (one: number, other: number) =>
  Math.abs(Math.log(Math.max(one, 1e-9)) - Math.log(Math.max(other, 1e-9)));

interface StopsProps {
  label: string;
  values: readonly (number | null)[];
  value: number | null;
  unit?: string | undefined;
  /** What it is where it is automatic. */
  usual?: string | undefined;
  disabled: boolean;
  onChange: (value: number | null) => void;
}

/** "automatic", "off", or the number. */
const stopWords = (value: number | null, unit = "", usual = "automatic") =>
  value === null ? usual : value === 0 ? "off" : number(value) + (unit && ` ${unit}`);

/** A slider that stops at given values. */
export const Stops = ({ label, values, value, unit, usual, disabled, onChange }: StopsProps) => (
  <Slider
    label={label}
    min={0}
    max={values.length - 1}
    value={placeOf(values, value)}
    disabled={disabled}
    format={() => stopWords(value, unit, usual)}
    onInput={(at) => onChange(values[at] as number | null)}
  />
);
