import type { Signal } from "@preact/signals";
import { number } from "./format";
import "./slider.css";

interface RangeProps {
  label: string;
  min: number;
  max: number;
  step?: number | undefined;
  unit?: string | undefined;
  disabled?: boolean | undefined;
  /** The value as text; four significant digits and the unit by default. */
  format?: ((value: number) => string) | undefined;
}

/** The signal that is read and written, or the value shown and who is told of another. */
type Slid =
  | { of: Signal<number> }
  | { of?: undefined; value: number; onInput: (value: number) => void };

/** A labelled native range input with its value beside it. */
export function Slider(p: RangeProps & Slid) {
  const { label, min, max, step = 1, unit = "", disabled, format } = p;
  const value = p.of ? p.of.value : p.value;
  const text = format?.(value) ?? number(value) + (unit && ` ${unit}`);
  return (
    <label class="cnnw-slider">
      <span>{label}</span>
      <input
        type="range"
        {...{ min, max, step, value, disabled }}
        aria-valuetext={text}
        onInput={({ currentTarget: { valueAsNumber } }) => {
          if (p.of) p.of.value = valueAsNumber;
          else p.onInput(valueAsNumber);
        }}
      />
      <output>{text}</output>
    </label>
  );
}
