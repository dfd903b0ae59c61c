// How maps are computed, which needs the kernel, and how they are shown, which does not.
import { Choice } from "../../shared/choice";
import { number, percent } from "../../shared/format";
import { Slider } from "../../shared/slider";
import { fullColour, NEEDS_KERNEL, PARTS, REDUCTIONS, SCALES } from "./describe";
import { methodOf, useViewer } from "./state";

const FILLS = ["mean", "black", "white", "blur", "noise"];
const BASELINES = [0, ...FILLS];

const NAMES: Record<string, string> = { mean: "mean of this picture" };

const words = (keys: readonly (string | number)[], value: string | number) =>
  [...keys, ...(keys.includes(value) ? [] : [value])].map((key) => {
    const name = typeof key === "number" ? `${number(key)} (normalised)` : key;
    return [key, NAMES[name] ?? name] as const;
  });

function Sampling({ needed }: { needed: Set<string> }) {
  const { samples, noise, baseline, alone } = useViewer();
  return (
    <>
      {needed.has("samples") && (
        <Slider
          label="Samples"
          min={1}
          max={Math.max(200, samples.value)}
          of={samples}
          unit="passes"
          disabled={alone.value}
        />
      )}
      {needed.has("noise") && (
        <Slider
          label="Noise"
          min={0}
          max={0.5}
          step={0.01}
          of={noise}
          disabled={alone.value}
          format={(value) => `${percent(value)} of the range`}
        />
      )}
      {needed.has("baseline") && (
        <Choice
          label="Baseline (integrated gradients)"
          of={baseline}
          disabled={alone.value && NEEDS_KERNEL}
          options={words(BASELINES, baseline.value)}
        />
      )}
    </>
  );
}

function Patch() {
  const { window, stride, fill, size, alone } = useViewer();
  const edge = Math.min(size.value.height, size.value.width);
  return (
    <>
      {(
        [
          ["Window", window],
          ["Stride", stride],
        ] as const
      ).map(([label, trait]) => (
        <Slider
          key={label}
          label={label}
          unit="px"
          min={1}
          max={edge}
          of={trait}
          disabled={alone.value}
        />
      ))}
      <Choice
        label="Fill (occlusion)"
        of={fill}
        disabled={alone.value && NEEDS_KERNEL}
        options={words(FILLS, fill.value)}
      />
    </>
  );
}

export function Computing() {
  const state = useViewer();
  const { asked, measure, cam_layer, layers, single, alone } = state;
  const needed = new Set(asked.value.flatMap(({ method }) => methodOf(state, method).settings));
  const last = `last with maps (${layers.value.at(-1)})`;
  return (
    <fieldset class="cnnw-sv-group">
      <legend>Computed with</legend>
      <Sampling needed={needed} />
      {needed.has("cam_layer") && (
        <Choice
          label="Layer"
          value={cam_layer.value ?? ""}
          disabled={alone.value && NEEDS_KERNEL}
          options={[["", last], ...layers.value.map((name) => [name, name] as const)]}
          onChange={(name) => (cam_layer.value = name || null)}
        />
      )}
      {needed.has("stride") && <Patch />}
      {!single.value && (
        <Choice
          label="Score"
          of={measure}
          disabled={alone.value && NEEDS_KERNEL}
          options={Object.entries(state.words.value)}
        />
      )}
    </fieldset>
  );
}

export function Showing() {
  const state = useViewer();
  const { reduction, part, percentile, scale, overlay } = state;
  return (
    <fieldset class="cnnw-sv-group">
      <legend>Shown with</legend>
      <Choice label="Channels" of={reduction} options={REDUCTIONS} />
      <Choice label="Values" of={part} options={PARTS} />
      <Choice label="Range" of={scale} options={SCALES} />
      <Slider
        label="Clip at"
        min={50}
        max={100}
        step={0.5}
        of={percentile}
        format={(value) => `percentile ${number(value)}`}
      />
      <Slider label="Opacity" min={0} max={1} step={0.05} of={overlay} format={percent} />
      <p class="cnnw-note">{fullColour(state)}</p>
    </fieldset>
  );
}
