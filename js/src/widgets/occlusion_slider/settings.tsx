// The patch, and what is followed.
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { Slider } from "../../shared/slider";
import { ClassChoice } from "./class_choice";
import { fillWords, measureWords } from "./describe";
import { imageOf, meanColor } from "./paint";
import { useSlider } from "./state";
import type { Fill, Measure } from "./types";

interface ChoiceProps {
  label: string;
  value: number | string;
  onChange: (at: number) => void;
  children: ComponentChildren;
}

export const Choice = ({ label, value, onChange, children }: ChoiceProps) => (
  <label class="cnnw-os-choice">
    <span>{label}</span>
    <select
      aria-label={label}
      value={value}
      onChange={({ currentTarget }) => onChange(currentTarget.selectedIndex)}
    >
      {children}
    </select>
  </label>
);

const FILLS: readonly Fill[] = ["mean", "blur", "noise", "black", "white"];

function FillChoice() {
  const { fill, filled, filledWith, size, alone } = useSlider();
  const known = FILLS.includes(fill.value);
  const fills = known ? FILLS : [...FILLS, fill.value];
  const color = useMemo(() => meanColor(imageOf(filled.value, size.value)), [filled.value]);
  const drawn = filledWith.value === fill.value ? color : undefined;
  return (
    <>
      <Choice
        label="Fill"
        value={fills.indexOf(fill.value)}
        onChange={(at) => (fill.value = fills[at] as Fill)}
      >
        {fills.map((one, i) => (
          <option key={i} value={i} disabled={alone.value}>
            {fillWords(one, one === fill.value ? drawn : undefined)}
          </option>
        ))}
      </Choice>
      <input
        type="color"
        aria-label="Fill colour"
        title={`What the patch shows: ${color}. Choose another colour to fill it with.`}
        value={color}
        disabled={alone.value}
        onChange={({ currentTarget }) => (fill.value = currentTarget.value)}
      />
    </>
  );
}

export function Settings() {
  const { bridge, window, stride, size, measure, measures, single, alone } = useSlider();
  const edge = Math.min(size.value.height, size.value.width);
  return (
    <div class="cnnw-os-settings">
      {bridge.status.value === "replay" && (
        <p class="cnnw-note">No kernel here: the patch has the settings that it was saved with.</p>
      )}
      <Slider
        label="Window"
        unit="px"
        min={1}
        max={edge}
        value={window.value}
        disabled={alone.value}
        onInput={(value) => (window.value = value)}
      />
      <Slider
        label="Stride"
        unit="px"
        min={1}
        max={Math.max(Math.ceil(edge / 2), stride.value)}
        value={stride.value}
        disabled={alone.value}
        onInput={(value) => (stride.value = value)}
      />
      <div class="cnnw-os-row">
        {!single.value && <ClassChoice />}
        <FillChoice />
        {!single.value && (
          <Choice
            label="Measure"
            value={measure.value}
            onChange={(at) => (measure.value = measures.value[at] as Measure)}
          >
            {measures.value.map((one) => (
              <option key={one} value={one}>
                {measureWords(one, measures.value)}
              </option>
            ))}
          </Choice>
        )}
      </div>
    </div>
  );
}
