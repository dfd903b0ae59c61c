// What is drawn of a layer at a snapshot, or of how it differs from the pinned one.
import { useCallback, useMemo, useRef } from "preact/hooks";
import { drawTile, put } from "../../shared/canvas";
import type { Scale } from "../../shared/color";
import { count, number } from "../../shared/format";
import { mapCount, mapSize, type Tensor, valueAt } from "../../shared/wire";
import type { HeldMaps, Wanted, What } from "./held_maps";
import { differenceLimit, limitOf, minus, type Over, paintColor, partOf, scaleOf } from "./maps";
import { useMonitor } from "./state";

export type Input = number | "rgb";

export interface MapTilesProps {
  wanted: Wanted;
  /** Steps of the snapshot that is looked at, of the pinned one, and of all. */
  at: number;
  pin: number | undefined;
  steps: readonly number[];
}

/** What is drawn: the maps of a step, less those of the pinned one where that is chosen. */
export interface Drawn {
  wanted: Wanted;
  at: number;
  tensor: Tensor;
  /** All there are; the tensor may have fewer. */
  channels: number;
  /** The pinned tensor that was taken from it. */
  less: Tensor | undefined;
}

const UNITS: Record<What, string> = {
  filters: "weight",
  maps: "activation",
  gradients: "∂ logit of the predicted class / ∂ activation",
  images: "",
};

/** What there is of the step; until it has come, what was drawn last. */
function useDrawn({ wanted, at, pin }: MapTilesProps, differing: boolean): Drawn | undefined {
  const { maps } = useMonitor();
  const last = useRef<Drawn | undefined>(undefined);
  const now = maps.get(wanted, at);
  const less = differing && pin !== undefined ? maps.get(wanted, pin)?.tensor : undefined;
  const there = now && (!differing || pin === undefined || less);
  const drawn = useMemo(
    () =>
      there && {
        ...{ wanted, at, less, channels: now.channels },
        tensor: less ? minus(now.tensor, less) : now.tensor,
      },
    [wanted, at, now, less, there],
  );
  if (drawn) last.current = drawn;
  else if (last.current?.wanted !== wanted) last.current = undefined;
  return last.current;
}

/** The largest magnitude over all snapshots that are held. */
function runLimit(maps: HeldMaps, { wanted, steps }: MapTilesProps, less?: Tensor): number {
  const held = steps.flatMap((step) => maps.get(wanted, step)?.tensor ?? []);
  return held.reduce(
    (most, one) => Math.max(most, less ? differenceLimit(one, less) : limitOf(one)),
    0,
  );
}

/** The scale of an item, and drawing it. */
function useScale(p: MapTilesProps, drawn: Drawn | undefined, over: Over, input: Input) {
  const { maps, looks } = useMonitor();
  const { what } = p.wanted;
  const edge = looks.tile.value;
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
      else drawTile(canvas, tensor, first, scale(item), edge);
      return true;
    },
    [drawn, scale, input, edge],
  );
  return { scale, draw };
}

function drawColor(canvas: HTMLCanvasElement, t: Tensor, first: number, { high }: Scale): void {
  const [height, width] = t.shape.slice(-2) as [number, number];
  put(canvas, width, height, (out) => paintColor(t, first, high, out));
}

/** Lowest and highest value of one item. */
export function endsText({ tensor }: Drawn, item: number, input: Input, digits = 3): string {
  const [first, many] = partOf(tensor, item, input);
  const size = mapSize(tensor);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = first * size; i < (first + many) * size; i++) {
    const value = valueAt(tensor, i);
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return "no finite value";
  return low === high ? number(low, digits) : `${number(low, digits)} … ${number(high, digits)}`;
}

/** What the colours stand for, and over what their range is. */
function captionOf({ wanted, pin, steps }: MapTilesProps, less: boolean, over: string): string {
  const difference = less ? `difference from step ${count(pin ?? steps[0] ?? 0)}: ` : "";
  return `${difference}${UNITS[wanted.what]}, ${over}`;
}

/** All that is shown of the maps. */
export function useMaps(p: MapTilesProps) {
  const { maps, looks } = useMonitor();
  const { wanted, steps } = p;
  const { over, differing, input: wish, channel } = looks;
  const drawn = useDrawn(p, differing.value);
  const [outer = 0, inner = 1] = drawn?.tensor.shape ?? [];
  const filters = drawn?.tensor.shape.length === 4;
  const inputs = filters ? inner : 1;
  const chosen = wish.value ?? "rgb";
  const input = chosen === "rgb" && inputs !== 3 ? 0 : chosen;
  const items = filters ? outer : drawn ? mapCount(drawn.tensor) : 0;
  const item = Math.min(channel.value, Math.max(0, items - 1));
  const single = !filters && drawn && mapSize(drawn.tensor) === 1;
  const word = wanted.what === "filters" ? "filter" : single ? "unit" : "channel";
  const held = steps.filter((step) => maps.get(wanted, step)).length;
  const ranges: Record<Over, string> = {
    channel: `${word} ${item}`,
    layer: "this layer at this step",
    run: `this layer over ${held} of ${steps.length} snapshots`,
  };
  const caption = captionOf(p, !!drawn?.less, ranges[over.value]);
  const scaled = useScale(p, drawn, over.value, input);
  return { ...scaled, drawn, inputs, input, items, item, word, single, held, caption };
}

export type Maps = ReturnType<typeof useMaps>;
