import { number } from "./format";
import "./slider.css";

export interface SliderProps {
  label: string;
  value: number;
  min: number;
  max: number;
  step?: number | undefined;
  unit?: string | undefined;
  disabled?: boolean | undefined;
  /** The value as text; four significant digits and the unit by default. */
  format?: ((value: number) => string) | undefined;
  onInput: (value: number) => void;
}

/** A labelled native range input with its value beside it. */
export function Slider({
  label,
  value,
  min,
  max,
  step = 1,
  unit = "",
  disabled,
  format,
  onInput,
}: SliderProps) {
  const text = format?.(value) ?? number(value) + (unit && ` ${unit}`);
  return (
    <label class="cnnw-slider">
      <span>{label}</span>
      <input
        type="range"
        {...{ min, max, step, value, disabled }}
        aria-valuetext={text}
        onInput={(event) => onInput(event.currentTarget.valueAsNumber)}
      />
      <output>{text}</output>
    </label>
  );
}
