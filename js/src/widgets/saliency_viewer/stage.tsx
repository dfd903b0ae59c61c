// A picture whose pixels are read: by pointing at it, or with the arrow keys.
import { effect } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { handled } from "../../shared/keys";
import { pointOf } from "../../shared/pointers";
import { useViewer } from "./state";

const ARROWS: Record<string, [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

const within = (to: number, count: number) => Math.min(count - 1, Math.max(0, Math.floor(to)));

interface StageProps {
  label: string;
  /** Draws the picture, a canvas pixel per pixel; called again when it or a signal it reads changes. */
  draw: (canvas: HTMLCanvasElement) => void;
  readout: string;
}

export function Stage({ label, draw, readout }: StageProps) {
  const { cursor, size } = useViewer();
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height } = size.value;
  const at = cursor.value;
  useLayoutEffect(() => effect(() => draw(canvas.current as HTMLCanvasElement)), [draw]);
  const point = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    const { x, y } = pointOf(event);
    const { clientWidth, clientHeight } = event.currentTarget;
    cursor.value = [
      within((y / clientHeight) * height, height),
      within((x / clientWidth) * width, width),
    ];
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const arrow = ARROWS[event.key];
    if (!arrow || event.ctrlKey || event.metaKey || event.altKey) return;
    const by = event.shiftKey ? 10 : 1;
    const [row, column] = at ?? [height / 2 - arrow[0] * by, width / 2 - arrow[1] * by];
    cursor.value = [within(row + by * arrow[0], height), within(column + by * arrow[1], width)];
    handled(event);
  };
  return (
    <>
      <div
        class="cnnw-sv-stage"
        style={{ "--cnnw-pixel": `${100 / width}%` }}
        role="application"
        aria-label={`${label}; arrow keys read pixels`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys read pixels
        tabIndex={0}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={({ pointerType }) => {
          // A finger leaves whenever it is lifted; what it touched stays read out.
          if (pointerType !== "touch") cursor.value = null;
        }}
        onKeyDown={onKeyDown}
      >
        <canvas
          ref={canvas}
          style={{
            aspectRatio: width / height,
            imageRendering: width > 160 ? "auto" : "pixelated",
          }}
        />
        {at && (
          <i style={{ top: `${(100 * at[0]) / height}%`, left: `${(100 * at[1]) / width}%` }} />
        )}
      </div>
      <output class="cnnw-sv-reading">{readout}</output>
    </>
  );
}
