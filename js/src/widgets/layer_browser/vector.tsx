// Layers without rows and columns: one bar per unit; class probabilities as sorted bars.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Bars } from "../../shared/bars";
import { Button } from "../../shared/button";
import { count, exact, number, percent } from "../../shared/format";
import { union } from "./channels";
import { OrderSelect, TargetSelect } from "./controls";
import type { LayerData } from "./data";
import { CLASSES_SHOWN, LABELLED_UNITS } from "./limits";
import { useReplies, Waiting } from "./loading";
import { areClasses, useBrowser, useKeptFocus } from "./state";
import { UnitChart } from "./unit_chart";

/** Unit numbers, largest value first. */
const sorted = (values: ArrayLike<number>): number[] =>
  Array.from({ length: values.length }, (_, i) => i).sort(
    (p, q) => (values[q] ?? 0) - (values[p] ?? 0) || p - q,
  );

export function Vector({ data }: { data: readonly LayerData[] }) {
  useKeptFocus();
  const { layer, order, channel, channels, of } = useBrowser();
  const answers = useReplies<unknown>(
    "vector",
    data.map(({ source }) => source),
    "map",
  );
  const names = useClassNames();
  const values = answers.replies?.map(({ tensors }) => tensors[0]?.data ?? []);
  const softmax = layer.value?.kind === "softmax" && of.value === "activations";
  const [first = []] = values ?? [];
  const units =
    softmax || order.value === "max"
      ? sorted(first)
      : Array.from({ length: first.length }, (_, i) => i);
  const id = answers.current ? units.join() : "";
  useEffect(() => {
    channels.value = units;
  }, [id]);
  if (!values || answers.error) return <Waiting answers={answers} />;
  const [low, high] = union(
    data.map(({ value }) => [value.low, value.high] as const).map(([l, h]) => [l, h]),
  );
  const limit = Math.max(Math.abs(low), Math.abs(high));
  const labelled = softmax || first.length <= LABELLED_UNITS;
  return (
    <>
      <div class="cnnw-lb-tools">
        {of.value === "gradients" && <TargetSelect />}
        {!softmax && <OrderSelect vector />}
        <span class="cnnw-note">
          {count(first.length)} units, {number(low)} … {number(high)}
        </span>
      </div>
      <div class="cnnw-lb-scroll">
        {values.map((one, i) => {
          const shown = data[i]?.shown;
          const caption = data.length > 1 ? `${shown?.slot.toUpperCase()}: ${shown?.name}` : "";
          return labelled ? (
            <LabelledUnits
              key={shown?.slot}
              {...{ units, names, caption, softmax }}
              values={one}
              limit={softmax ? 1 : limit}
            />
          ) : (
            <UnitChart key={shown?.slot} {...{ units, caption, limit }} values={one} />
          );
        })}
      </div>
      <p class="cnnw-lb-readout">
        <b>
          {!labelled && "▮ "}chosen: unit {channel.value}
          {names?.[channel.value] && `, ${names[channel.value]}`}
        </b>
        {values.map((one, i) => (
          <span key={data[i]?.source.slot}>{exact(one[channel.value] ?? Number.NaN)}</span>
        ))}
      </p>
    </>
  );
}

/** The class names, where the layer's units are the classes. */
function useClassNames(): string[] | undefined {
  const state = useBrowser();
  const names = state.classes.value ?? undefined;
  const named = state.layer.value?.shape?.[0] === names?.length;
  return named && areClasses(state, state.index.value) ? names : undefined;
}

interface LabelledUnitsProps {
  values: ArrayLike<number>;
  units: readonly number[];
  names: string[] | undefined;
  caption: string;
  limit: number;
  softmax: boolean;
}

function LabelledUnits({ values, units, names, caption, limit, softmax }: LabelledUnitsProps) {
  const { channel } = useBrowser();
  const all = useSignal(false);
  const shown = softmax && !all.value ? units.slice(0, CLASSES_SHOWN) : units;
  return (
    <div>
      <Bars
        caption={caption}
        max={limit || 1}
        rows={shown.map((unit) => {
          const value = values[unit] ?? Number.NaN;
          return {
            label: names?.[unit] ?? `unit ${unit}`,
            value,
            text: softmax ? percent(value) : number(value),
          };
        })}
        selected={shown.indexOf(channel.value)}
        onSelect={(row) => (channel.value = shown[row] as number)}
      />
      {units.length > shown.length && (
        <Button onClick={() => (all.value = true)}>Show all {count(units.length)}</Button>
      )}
    </div>
  );
}
