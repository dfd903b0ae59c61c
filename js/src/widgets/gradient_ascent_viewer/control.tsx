// Labelled fields: a list to choose from, a number, and a slider over given values.
import { number } from "../../shared/format";
import { Slider } from "../../shared/slider";

interface ChoiceProps<K extends string | number> {
  label: string;
  value: K;
  options: readonly (readonly [K, string])[];
  disabled?: boolean | undefined;
  /** Can it be chosen? All can by default. */
  offers?: (key: K) => boolean;
  onChange: (key: K) => void;
}

export const Choice = <K extends string | number>(p: ChoiceProps<K>) => (
  <label class="cnnw-ga-field">
    <span>{p.label}</span>
    <select
      aria-label={p.label}
      value={p.value}
      disabled={p.disabled}
      onChange={({ currentTarget }) => {
        const option = p.options[currentTarget.selectedIndex];
        if (option) p.onChange(option[0]);
      }}
    >
      {p.options.map(([key, text]) => (
        <option key={key} value={key} disabled={p.offers && !p.offers(key)}>
          {text}
        </option>
      ))}
    </select>
  </label>
);

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
  <label class="cnnw-ga-field">
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
  ...Array.from({ length: 4 * (high - low) + 1 }, (_, i) =>
    Number((10 ** (low + i / 4)).toPrecision(2)),
  ),
];

/** From one value to another in equal steps. */
export const evenly = (from: number, to: number, step: number) =>
  Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) =>
    Number((from + i * step).toPrecision(4)),
  );

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

interface StopsProps<V extends number | null> {
  label: string;
  values: readonly V[];
  value: V;
  unit?: string;
  /** What no number, and zero, are called. */
  words?: { none?: string; zero?: string };
  disabled: boolean;
  onChange: (value: V) => void;
}

/** A slider that stops at given values. */
export function Stops<V extends number | null>(p: StopsProps<V>) {
  const { label, values, value, unit = "", words = {}, disabled, onChange } = p;
  const said = () => {
    if (value === null) return words.none ?? "";
    return value === 0 && words.zero ? words.zero : number(value) + (unit && ` ${unit}`);
  };
  return (
    <Slider
      label={label}
      min={0}
      max={values.length - 1}
      value={placeOf(values, value)}
      disabled={disabled}
      format={said}
      onInput={(at) => onChange(values[at] as V)}
    />
  );
}
