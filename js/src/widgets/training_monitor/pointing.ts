// Pointing at a chart: where the pointer is, a click, and a stretch that was drawn over it.
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { pointOf } from "../../shared/pointers";

type Pointed = PointerEvent & { currentTarget: HTMLElement };

/** A press that moves less than this is a click (CSS pixels). */
const SLOP = 5;

interface Pointing {
  /** From pixels of the element to a share of the plot, 0 … 1. */
  share: (x: number, width: number) => number;
  hover: (share: number | null) => void;
  click: (share: number) => void;
  stretch: (from: number, to: number) => void;
}

export function usePointing({ share, hover, click, stretch }: Pointing) {
  const press = useRef<{ px: number; share: number } | null>(null);
  /** What is drawn over so far. */
  const selected = useSignal<readonly [number, number] | null>(null);
  const at = (event: Pointed) => {
    const { x } = pointOf(event);
    const clamped = Math.min(1, Math.max(0, share(x, event.currentTarget.offsetWidth)));
    return { px: x, share: clamped };
  };
  return {
    selected,
    handlers: {
      onPointerDown(event: Pointed) {
        if (event.button) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        press.current = at(event);
      },
      onPointerMove(event: Pointed) {
        const now = at(event);
        hover(now.share);
        const from = press.current;
        if (from && Math.abs(now.px - from.px) > SLOP)
          selected.value = [Math.min(from.share, now.share), Math.max(from.share, now.share)];
      },
      onPointerUp(event: Pointed) {
        if (selected.value) stretch(...selected.value);
        else if (press.current) click(at(event).share);
        press.current = selected.value = null;
      },
      onPointerCancel() {
        press.current = selected.value = null;
      },
      onPointerLeave: () => hover(null),
    },
  };
}
