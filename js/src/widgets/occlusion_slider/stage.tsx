// The picture: drag the patch over it; point at a cell of the map to put it there.
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { count } from "../../shared/format";
import { handled } from "../../shared/keys";
import { OverlayBox } from "../../shared/overlay";
import { pointOf } from "../../shared/pointers";
import { andKept, at } from "./describe";
import type { Shown } from "./map";
import { drawCells, drawPatched, imageOf } from "./paint";
import { drop, keep, put, type State, useSlider } from "./state";
import { placeOf } from "./sweep";
import type { Box, Place } from "./types";

type Pointed = PointerEvent & { currentTarget: HTMLElement };

/** A press: where on the patch, where on the page, and whether the patch has moved with it. */
interface Drag {
  grip: Place;
  x: number;
  y: number;
  moved: boolean;
}

/** A press that moves further than this drags (CSS pixels). */
const SLOP = 3;

const inside = ({ row, column }: Place, patch: Place, window: number) =>
  row >= patch.row &&
  row < patch.row + window &&
  column >= patch.column &&
  column < patch.column + window;

/** What pointers do; `map` is given where its cells are of the patch shown. */
function usePatchPointer(state: State, map: Shown | null) {
  const drag = useRef<Drag | null>(null);
  /** A patch that was just put down stays, until it is left. */
  const rests = useRef(false);
  const { place, peek, window, size } = state;
  const pixelOf = (event: Pointed): Place => {
    const { x, y } = pointOf(event);
    const { clientWidth, clientHeight } = event.currentTarget;
    return {
      row: (y / clientHeight) * size.value.height,
      column: (x / clientWidth) * size.value.width,
    };
  };
  const point = (pixel: Place) => {
    rests.current &&= inside(pixel, place.value, window.value);
    if (!map || rests.current || state.opacity.value === 0) return;
    const cell = map.cells[Math.floor(pixel.row) * size.value.width + Math.floor(pixel.column)];
    const known = cell !== undefined && cell >= 0 && Number.isFinite(map.values[cell]);
    peek.value = known ? placeOf(map.sweep, cell) : null;
  };
  return {
    onPointerDown(event: Pointed) {
      if (event.button) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      const from = pixelOf(event);
      const now = place.value;
      const half = window.value / 2;
      const held = inside(from, now, window.value);
      const grip = held
        ? { row: from.row - now.row, column: from.column - now.column }
        : { row: half, column: half };
      drag.current = { grip, x: event.clientX, y: event.clientY, moved: !held };
      if (!held) put(state, { row: from.row - half, column: from.column - half }, window.value);
    },
    onPointerMove(event: Pointed) {
      const pixel = pixelOf(event);
      const { current: held } = drag;
      if (!held) {
        if (event.pointerType !== "touch") point(pixel);
        return;
      }
      held.moved ||= Math.hypot(event.clientX - held.x, event.clientY - held.y) > SLOP;
      if (!held.moved) return;
      const to = { row: pixel.row - held.grip.row, column: pixel.column - held.grip.column };
      put(state, to, window.value);
    },
    onPointerUp() {
      if (drag.current?.moved) rests.current = true;
      else if (drag.current) keep(state);
      drag.current = null;
    },
    onPointerCancel() {
      drag.current = null;
    },
    onPointerLeave() {
      rests.current = false;
      if (!drag.current) peek.value = null;
    },
  };
}

const ARROWS: Record<string, [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

function onKeyDown(event: KeyboardEvent, state: State): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = ARROWS[event.key];
  const { row, column } = state.place.value;
  if (arrow) {
    const by = event.shiftKey ? state.stride.value : 1;
    put(state, { row: row + by * arrow[0], column: column + by * arrow[1] }, state.window.value);
  } else if (event.key === "Enter" || event.key === " ") keep(state);
  else if (event.key === "Delete" || event.key === "Backspace")
    drop(state, state.kept.value.at(-1));
  else return;
  handled(event);
}

export function Stage({ map }: { map: Shown | null }) {
  const state = useSlider();
  const { picture, filled, place, window, size, name, kept, live, opacity } = state;
  const bare = useRef<HTMLCanvasElement>(null);
  const heat = useRef<HTMLCanvasElement>(null);
  const pointer = usePatchPointer(state, live.value ? map : null);
  const { height, width } = size.value;
  const pixels = useMemo(() => imageOf(picture.value, size.value), [picture.value]);
  const under = useMemo(() => imageOf(filled.value, size.value), [filled.value]);
  useLayoutEffect(() => {
    const { row, column } = place.value;
    const boxes: Box[] = [...kept.value, [row, column, window.value]];
    if (bare.current) drawPatched(bare.current, pixels, under, boxes);
  }, [pixels, under, place.value, window.value, kept.value]);
  useLayoutEffect(() => {
    if (heat.current && map) drawCells(heat.current, map.cells, map.values, map.scale, size.value);
  }, [map]);
  const box = ({ row, column }: Place, edge: number) => ({
    top: row,
    left: column,
    bottom: Math.min(height, row + edge),
    right: Math.min(width, column + edge),
  });
  const title = name.value === "picture" ? "Picture" : `Picture ${name.value}`;
  return (
    <div
      class="cnnw-os-stage"
      style={{ "--cnnw-ratio": width / height }}
      role="application"
      aria-roledescription="picture with a patch to move"
      aria-label={`${title}, patch of ${window.value} × ${window.value} at ${at(place.value)}${andKept(kept.value.length)}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move the patch
      tabIndex={0}
      onKeyDown={(event) => onKeyDown(event, state)}
      {...pointer}
    >
      <canvas
        ref={bare}
        data-view="picture"
        style={{ filter: map && opacity.value ? "grayscale(1)" : "none" }} // else no legend holds
      />
      {map && <canvas ref={heat} data-view="map" style={{ opacity: opacity.value }} />}
      {kept.value.map(([row, column, edge], i) => (
        <OverlayBox
          key={i}
          box={{ ...box({ row, column }, edge), label: count(i + 1) }}
          picture={size.value}
        />
      ))}
      <OverlayBox box={{ ...box(place.value, window.value), kind: "unit" }} picture={size.value} />
    </div>
  );
}
