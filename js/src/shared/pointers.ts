import { useRef } from "preact/hooks";

export interface Gestures {
  /** The pointer is at a point of the element (CSS pixels), or has left it. */
  hover: (x: number | null, y: number) => void;
  click: (x: number, y: number) => void;
  /** Dragged by this much. */
  pan: (dx: number, dy: number) => void;
  /** Pinched by a factor around a point. */
  zoom: (factor: number, x: number, y: number) => void;
}

interface Point {
  x: number;
  y: number;
}

type Pointed = PointerEvent & { currentTarget: HTMLElement };

/** A press that moves further than this drags (CSS pixels). */
const SLOP = 4;

/** Where an event is on its element, also where a slide show has scaled the page. */
export function pointOf(event: MouseEvent & { currentTarget: HTMLElement }): Point {
  const element = event.currentTarget;
  const rect = element.getBoundingClientRect();
  const scale = element.offsetWidth / rect.width || 1;
  return { x: (event.clientX - rect.left) * scale, y: (event.clientY - rect.top) * scale };
}

/** Mouse, pen and fingers to hover, click, drag and pinch: the handlers of an element. */
export function usePointers(g: Gestures) {
  const { down, press } = useRef({
    down: new Map<number, Point>(),
    press: { x: 0, y: 0, moved: false },
  }).current;
  const release = (event: Pointed) => down.delete(event.pointerId);
  return {
    onPointerDown(event: Pointed) {
      if (event.button) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      const at = pointOf(event);
      down.set(event.pointerId, at);
      Object.assign(press, at, { moved: down.size > 1 });
    },
    onPointerMove(event: Pointed) {
      const at = pointOf(event);
      const before = down.get(event.pointerId);
      if (!before) return g.hover(at.x, at.y);
      const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
      down.set(event.pointerId, at);
      press.moved ||= Math.hypot(at.x - press.x, at.y - press.y) > SLOP;
      if (other) {
        const factor =
          Math.hypot(at.x - other.x, at.y - other.y) /
          Math.hypot(before.x - other.x, before.y - other.y);
        if (Number.isFinite(factor)) g.zoom(factor, (at.x + other.x) / 2, (at.y + other.y) / 2);
      } else if (press.moved) g.pan(at.x - before.x, at.y - before.y);
    },
    onPointerUp(event: Pointed) {
      const at = pointOf(event);
      if (release(event) && !press.moved) g.click(at.x, at.y);
    },
    onPointerCancel: release,
    onPointerLeave(event: Pointed) {
      // A finger leaves whenever it is lifted; what it touched stays read out.
      if (event.pointerType !== "touch") g.hover(null, 0);
    },
  };
}
