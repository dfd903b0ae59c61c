// What mouse, fingers and keys do to an ImageView.
import { useState } from "preact/hooks";
import { handled } from "./keys";
import { ZOOM } from "./look";
import { pointOf, usePointers } from "./pointers";
import type { Size } from "./size";
import type { Pixel, View } from "./viewport";

export interface ImageInput extends Size {
  zoomable?: boolean | undefined;
  /** The pixel under the pointer or the keyboard cursor; null when it left. */
  onHover?: ((at: Pixel | null) => void) | undefined;
  onClick?: ((at: Pixel) => void) | undefined;
}

type OnStage<E> = E & { currentTarget: HTMLElement };

/** The handlers of the stage, and the pixel that is read. */
export function useImageInput(p: ImageInput, view: View) {
  const [cursor, setCursor] = useState<Pixel | null>(null);
  const hover = (at: Pixel | null) => {
    if (String(at) === String(cursor)) return;
    setCursor(at);
    p.onHover?.(at);
  };
  const pick = (at: Pixel | null) => {
    hover(at);
    if (at) p.onClick?.(at);
  };
  const pointers = usePointers({
    hover: (x, y) => hover(x === null ? null : view.at(x, y)),
    click: (x, y) => pick(view.at(x, y)),
    pan: view.pan,
    zoom: (factor, x, y) => p.zoomable && view.zoomBy(factor, x, y),
  });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const next = cursorMove(event, cursor, p);
    if (next) {
      hover(next);
      view.show(next);
    } else if (event.key === "Enter" || event.key === " ") pick(cursor);
    else if (!p.zoomable || !zoomKey(event.key, view)) return;
    handled(event);
  };
  return {
    cursor,
    ...pointers,
    onKeyDown,
    onWheel: (event: OnStage<WheelEvent>) => p.zoomable && wheel(event, view),
    onBlur: () => hover(null),
  };
}

/** Zooms with Ctrl (as pinching on a pad does) or the focus; else the page scrolls past the picture. */
function wheel(event: OnStage<WheelEvent>, view: View): void {
  const ours = event.ctrlKey || event.currentTarget.matches(":focus-within");
  if (!ours || (event.deltaY > 0 && view.zoom === 1)) return;
  handled(event);
  const { x, y } = pointOf(event);
  view.zoomBy(2 ** (-event.deltaY / (event.deltaMode ? 8 : 240)), x, y);
}

function zoomKey(key: string, view: View): boolean {
  if (key === "0") view.fit();
  else if (key === "+" || key === "=") view.zoomBy(ZOOM.step);
  else if (key === "-") view.zoomBy(1 / ZOOM.step);
  else return false;
  return true;
}

const ARROWS: Record<string, Pixel> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** Where an arrow key leads (with Shift ten pixels); the first one only shows the cursor, in the middle. */
function cursorMove(
  { key, shiftKey }: KeyboardEvent,
  cursor: Pixel | null,
  { width, height }: Size,
): Pixel | null {
  const arrow = ARROWS[key];
  if (!arrow) return null;
  if (!cursor) return [height >> 1, width >> 1];
  const to = (axis: 0 | 1, count: number) =>
    Math.min(count - 1, Math.max(0, cursor[axis] + arrow[axis] * (shiftKey ? 10 : 1)));
  return [to(0, height), to(1, width)];
}
