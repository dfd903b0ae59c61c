// Layers without rows and columns: one bar per unit; class probabilities as sorted bars.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Bars } from "../../shared/bars";
import { Button } from "../../shared/button";
import { symmetric } from "../../shared/color";
import { count, exact, number, percent } from "../../shared/format";
import { type Range, union, upTo } from "./channels";
import { OrderSelect, TargetSelect } from "./controls";
import type { LayerData } from "./data";
import { rangeWords } from "./describe";
import { CLASSES_SHOWN, LABELLED_UNITS } from "./limits";
import { useReplies, Waiting } from "./loading";
import { areClasses, unitWord, useBrowser, useKeptFocus } from "./state";
import { UnitChart } from "./unit_chart";

export function Vector({ data }: { data: readonly LayerData[] }) {
  useKeptFocus();
  const { channel } = useBrowser();
  const { answers, values, units, softmax } = useUnits(data);
  const names = useClassNames();
  if (!values || answers.error) return <Waiting answers={answers} />;
  const range = union(data.map(({ value }) => [value.low, value.high]));
  const labelled = softmax || units.length <= LABELLED_UNITS;
  const limit = softmax ? 1 : symmetric(...range).high;
  const chosen = channel.value;
  return (
    <>
      <VectorTools {...{ softmax, range }} count={units.length} />
      <div class="cnnw-lb-scroll">
        {values.map((one, i) => {
          const { slot, name } = (data[i] as LayerData).shown;
          const caption = data.length > 1 ? `${slot.toUpperCase()}: ${name}` : "";
          const props = { units, caption, limit, values: one };
          return labelled ? (
            <LabelledUnits key={slot} {...props} {...{ names, softmax }} />
          ) : (
            <UnitChart key={slot} {...props} />
          );
        })}
      </div>
      <p class="cnnw-lb-readout">
        <b>
          {!labelled && "▮ "}chosen: unit {chosen}
          {names?.[chosen] && `, ${names[chosen]}`}
        </b>
        {values.map((one, i) => (
          <span key={i}>
            {data.length > 1 && `${(data[i] as LayerData).shown.slot.toUpperCase()}: `}
            {exact(one[chosen] ?? Number.NaN)}
          </span>
        ))}
      </p>
    </>
  );
}

/** The values of each picture, and the order to show the units in; the arrow keys follow it. */
function useUnits(data: readonly LayerData[]) {
  const { layer, order, channels, of } = useBrowser();
  const sources = data.map(({ source }) => source);
  const answers = useReplies<unknown>("vector", sources, "map");
  const values = answers.replies?.map(({ tensors }): ArrayLike<number> => tensors[0]?.data ?? []);
  const softmax = layer.value?.kind === "softmax" && of.value === "activations";
  const [first = []] = values ?? [];
  const units = upTo(first.length);
  if (softmax || order.value === "max")
    units.sort((p, q) => (first[q] ?? 0) - (first[p] ?? 0) || p - q);
  const id = answers.current ? units.join() : "";
  useEffect(() => {
    channels.value = units;
  }, [id]);
  return { answers, values, units, softmax };
}

interface VectorToolsProps {
  softmax: boolean;
  count: number;
  range: Range;
}

function VectorTools({ softmax, count: units, range }: VectorToolsProps) {
  const state = useBrowser();
  const { of, layer } = state;
  const logits = of.value === "activations" && unitWord(state, layer.value) === "logit";
  return (
    <div class="cnnw-lb-tools">
      {of.value === "gradients" && <TargetSelect />}
      {!softmax && <OrderSelect vector />}
      <span>
        {count(units)} units, {rangeWords(range)}
        {logits && "; the predictions are the softmax of these logits"}
      </span>
    </div>
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
        signed={!softmax}
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
