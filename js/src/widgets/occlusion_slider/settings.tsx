// The patch, and what is followed.
import { useMemo } from "preact/hooks";
import { Choice } from "../../shared/choice";
import { Slider } from "../../shared/slider";
import { ClassChoice } from "./class_choice";
import { fillWords, measureWords } from "./describe";
import { imageOf, meanColor } from "./paint";
import { useSlider } from "./state";
import type { Fill } from "./types";

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
        of={fill}
        options={fills.map((one) => [one, fillWords(one, one === fill.value ? drawn : undefined)])}
        offers={() => !alone.value}
      />
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
      <Slider label="Window" unit="px" min={1} max={edge} of={window} disabled={alone.value} />
      <Slider
        label="Stride"
        unit="px"
        min={1}
        max={Math.max(Math.ceil(edge / 2), stride.value)}
        of={stride}
        disabled={alone.value}
      />
      <div class="cnnw-os-row">
        {!single.value && <ClassChoice />}
        <FillChoice />
        {!single.value && (
          <Choice
            label="Measure"
            of={measure}
            options={measures.value.map((one) => [one, measureWords(one, measures.value)])}
          />
        )}
      </div>
    </div>
  );
}
