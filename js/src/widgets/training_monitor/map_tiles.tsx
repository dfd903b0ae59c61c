// All channels of a layer at a snapshot, or how they differ from the pinned one.
import { signal } from "@preact/signals";
import { useCallback, useMemo, useRef } from "preact/hooks";
import { drawTile } from "../../shared/canvas";
import type { Scale } from "../../shared/color";
import { count, number } from "../../shared/format";
import { Legend } from "../../shared/legend";
import { mapCount, mapSize, type Tensor, valueAt } from "../../shared/wire";
import { Choice } from "./choice";
import type { HeldMaps, Wanted, What } from "./held_maps";
import {
  differenceLimit,
  endsOf,
  limitOf,
  minus,
  OVER,
  type Over,
  paintColor,
  partOf,
  scaleOf,
} from "./maps";
import { SizedGrid } from "./sized_grid";
import { useMonitor } from "./state";

type Input = number | "rgb";

interface MapTilesProps {
  wanted: Wanted;
  /** Steps of the snapshot that is looked at, of the pinned one, and of all. */
  at: number;
  pin: number | undefined;
  steps: readonly number[];
}

/** What is drawn: the maps of a step, less those of the pinned one where that is chosen. */
interface Drawn {
  wanted: Wanted;
  at: number;
  tensor: Tensor;
  /** The pinned tensor that was taken from it. */
  less: Tensor | undefined;
}

const UNITS: Record<What, string> = {
  filters: "weight",
  maps: "activation",
  gradients: "∂ logit of the predicted class / ∂ activation",
};

/** Edge of a tile, and height of the grid at most (CSS pixels). */
const [EDGE, MOST] = [64, 440];
const never = signal(0);

/** What there is of the step; until it has come, what was drawn last. */
function useDrawn({ wanted, at, pin }: MapTilesProps, differing: boolean): Drawn | undefined {
  const { maps } = useMonitor();
  const last = useRef<Drawn | undefined>(undefined);
  const now = maps.get(wanted, at);
  const less = differing && pin !== undefined ? maps.get(wanted, pin) : undefined;
  const there = now && (!differing || pin === undefined || less);
  const drawn = useMemo(
    () => there && { wanted, at, tensor: less ? minus(now, less) : now, less },
    [wanted, at, now, less, there],
  );
  if (drawn) last.current = drawn;
  else if (last.current?.wanted !== wanted) last.current = undefined;
  return last.current;
}

/** The largest magnitude over all snapshots that are held. */
function runLimit(maps: HeldMaps, { wanted, steps }: MapTilesProps, less?: Tensor): number {
  const held = steps.flatMap((step) => maps.get(wanted, step) ?? []);
  return held.reduce(
    (most, one) => Math.max(most, less ? differenceLimit(one, less) : limitOf(one)),
    0,
  );
}

/** Draws an item; and the scale that it is drawn with. */
function useTiles(p: MapTilesProps, drawn: Drawn | undefined, over: Over, input: Input) {
  const { maps } = useMonitor();
  const { what } = p.wanted;
  const whole = over === "run" ? runLimit(maps, p, drawn?.less) : drawn ? limitOf(drawn.tensor) : 0;
  const scale = useCallback(
    (item: number): Scale => {
      if (over !== "channel" || !drawn) return scaleOf(what, whole);
      return scaleOf(what, limitOf(drawn.tensor, ...partOf(drawn.tensor, item, input)));
    },
    [drawn, over, what, whole, input],
  );
  const draw = useCallback(
    (item: number, canvas: HTMLCanvasElement) => {
      if (!drawn) return false;
      const { tensor } = drawn;
      const [first] = partOf(tensor, item, input);
      if (input === "rgb" && tensor.shape.length > 3) drawColor(canvas, tensor, first, scale(item));
      else drawTile(canvas, tensor, first, scale(item), EDGE);
      return true;
    },
    [drawn, scale, input],
  );
  return { scale, draw };
}

function drawColor(canvas: HTMLCanvasElement, t: Tensor, first: number, { high }: Scale): void {
  const [height, width] = t.shape.slice(-2) as [number, number];
  const out = new ImageData(width, height);
  paintColor(t, first, high, out);
  Object.assign(canvas, { width, height });
  canvas.getContext("2d")?.putImageData(out, 0, 0);
}

/** Lowest and highest value of one item. */
function endsText({ tensor }: Drawn, item: number, input: Input): string {
  const [first, many] = partOf(tensor, item, input);
  const size = mapSize(tensor);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = first * size; i < (first + many) * size; i++) {
    const value = valueAt(tensor, i);
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low > high ? "no finite value" : `${number(low, 3)} … ${number(high, 3)}`;
}

interface ToolsProps {
  shown: Input;
  /** Input channels of a filter; 1 of maps. */
  inputs: number;
  pin: number | undefined;
}

function Tools({ shown, inputs, pin }: ToolsProps) {
  const { over, input, differing } = useMonitor().looks;
  const options: (readonly [Input, string])[] = Array.from({ length: inputs }, (_, i) => [
    i,
    `input channel ${i}`,
  ]);
  if (inputs === 3) options.unshift(["rgb", "inputs as RGB"]);
  return (
    <div class="cnnw-tm-tools">
      {inputs > 1 && (
        <Choice
          label="Input"
          value={shown}
          {...{ options }}
          onChange={(key) => (input.value = key)}
        />
      )}
      <Choice
        label="Colour range of"
        value={over.value}
        options={OVER}
        onChange={(key) => (over.value = key)}
      />
      <label title={pin === undefined ? "Pin a step to compare with first." : undefined}>
        <input
          type="checkbox"
          checked={differing.value && pin !== undefined}
          disabled={pin === undefined}
          onChange={({ currentTarget }) => (differing.value = currentTarget.checked)}
        />
        difference from the pinned step{pin !== undefined && `, ${count(pin)}`}
      </label>
    </div>
  );
}

export function MapTiles(p: MapTilesProps) {
  const { wanted, at, pin, steps } = p;
  const { maps, looks } = useMonitor();
  const { over, differing, input, channel } = looks;
  const drawn = useDrawn(p, differing.value);
  const shape = drawn?.tensor.shape ?? [];
  const inputs = shape.length > 3 ? (shape[1] as number) : 1;
  const wish = input.value ?? (inputs === 3 ? "rgb" : 0);
  const shown = wish === "rgb" && inputs !== 3 ? 0 : wish;
  const { scale, draw } = useTiles(p, drawn, over.value, shown);
  const refusal = maps.refusal(wanted, at);
  const word = wanted.what === "filters" ? "filter" : "channel";
  const items = shape.length > 3 ? (shape[0] as number) : drawn ? mapCount(drawn.tensor) : 0;
  const item = Math.min(channel.value, Math.max(0, items - 1));
  const held = steps.filter((step) => maps.get(wanted, step)).length;
  const over_ = {
    channel: `${word} ${item}`,
    layer: "this layer at this step",
    run: `this layer over ${held} of ${steps.length} snapshots`,
  };
  const caption = `${drawn?.less ? `difference from step ${count(pin ?? 0)}: ` : ""}${UNITS[wanted.what]}, ${over_[over.value]}`;
  return (
    <div class="cnnw-tm-maps" data-at={drawn?.at} data-held={held} data-high={scale(item).high}>
      <Tools {...{ inputs, pin, shown }} />
      {refusal && drawn?.at !== at && <p class="cnnw-tm-refusal">{refusal}</p>}
      {!drawn && !refusal && <p class="cnnw-tm-note">Fetching the snapshot of step {count(at)}.</p>}
      {drawn && (
        <>
          <SizedGrid
            most={MOST}
            caption={`${items} ${word}s of ${wanted.layer} at step ${count(drawn.at)}`}
            count={items}
            tile={EDGE}
            {...{ draw }}
            label={String}
            loaded={never}
            selected={item}
            onVisible={() => {}}
            onSelect={(one) => (channel.value = one)}
          />
          <output>
            {drawn.at !== at && `step ${count(drawn.at)}, `}
            {word} {item}: {endsText(drawn, item, shown)}
          </output>
          {shown === "rgb" && inputs === 3 ? (
            <p class="cnnw-tm-note">
              Red, green and blue weights as colours: mid grey is 0, the ends are ±
              {number(scale(item).high, 3)} ({caption}).
            </p>
          ) : (
            <Legend scale={scale(item)} caption={caption} hasNaN={endsOf(drawn.tensor).broken} />
          )}
        </>
      )}
    </div>
  );
}
