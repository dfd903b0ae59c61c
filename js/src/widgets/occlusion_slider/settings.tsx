// The patch, and what is followed.
import type { ComponentChildren } from "preact";
import { Slider } from "../../shared/slider";
import { fillWords } from "./describe";
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
const MEASURES: readonly Measure[] = ["probability", "logit", "log-odds"];

function FillChoice() {
  const { fill, alone } = useSlider();
  const known = FILLS.includes(fill.value);
  const fills = known ? FILLS : [...FILLS, fill.value];
  const hex = `${fill.value}`.startsWith("#") ? `${fill.value}` : "#808080";
  return (
    <>
      <Choice
        label="Fill"
        value={fills.indexOf(fill.value)}
        onChange={(at) => (fill.value = fills[at] as Fill)}
      >
        {fills.map((one, i) => (
          <option key={i} value={i} disabled={alone.value}>
            {fillWords(one)}
          </option>
        ))}
      </Choice>
      <input
        type="color"
        aria-label="Fill colour"
        title="Fill with a colour of your choice"
        value={hex}
        disabled={alone.value}
        onChange={({ currentTarget }) => (fill.value = currentTarget.value)}
      />
    </>
  );
}

function ClassChoice() {
  const { classes, target, probe, alone, sweep } = useSlider();
  const names = classes.value;
  const likely = probe.answer.value.rows.map(({ index }) => index);
  const swept = sweep.value?.classes.map(({ index }) => index) ?? [];
  const first = alone.value && swept.length ? swept : likely;
  const others = alone.value ? [] : names.flatMap((_, i) => (first.includes(i) ? [] : i));
  const all = [...first, ...others];
  if (!all.includes(target.value)) all.push(target.value);
  return (
    <Choice
      label="Class"
      value={target.value}
      onChange={(at) => (target.value = all[at] as number)}
    >
      {all.map((index) => (
        <option key={index} value={index}>
          {names[index]}
        </option>
      ))}
    </Choice>
  );
}

export function Settings() {
  const { window, stride, size, measure, single, alone } = useSlider();
  const edge = Math.min(size.value.height, size.value.width);
  return (
    <div class="cnnw-os-settings">
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
        <FillChoice />
        {!single.value && (
          <>
            <ClassChoice />
            <Choice
              label="Measure"
              value={measure.value}
              onChange={(at) => (measure.value = MEASURES[at] as Measure)}
            >
              {MEASURES.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </Choice>
          </>
        )}
      </div>
    </div>
  );
}
