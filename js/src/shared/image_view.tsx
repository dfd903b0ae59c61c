import { effect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { percent } from "./format";
import { IconButton } from "./icon";
import { handled } from "./keys";
import { ZOOM } from "./look";
import { type Overlay, OverlayBox } from "./overlay";
import { pointOf, usePointers } from "./pointers";
import { useSize } from "./size";
import { type Pixel, useViewport } from "./viewport";
import "./image_view.css";

export type { Overlay, Pixel };

export interface ImageViewProps {
  /** What the picture shows, for screen readers. */
  label: string;
  /** Size of the picture in its own pixels. */
  width: number;
  height: number;
  /**
   * Draws the picture, a canvas pixel per pixel. Called again when it changes (keep it stable) or
   * when a signal that it reads does.
   */
  draw: (canvas: HTMLCanvasElement) => void;
  overlays?: readonly Overlay[] | undefined;
  /** The pixel under the pointer or the keyboard cursor; null when it left. */
  onHover?: ((at: Pixel | null) => void) | undefined;
  onClick?: ((at: Pixel) => void) | undefined;
  zoomable?: boolean | undefined;
  /** A line under the picture, announced politely. */
  readout?: ComponentChildren | undefined;
}

/**
 * A picture to look into: hover or the arrow keys read a pixel (with Shift, ten further), a click or
 * Enter picks it; + − 0, pinching, or the wheel (with Ctrl, or once the picture has the focus) zoom,
 * dragging pans.
 */
export function ImageView(p: ImageViewProps) {
  const { label, width, height, draw, zoomable = false, readout } = p;
  const picture = { width, height };
  const stage = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSize(stage);
  const view = useViewport(size, picture);
  const { sheet, zoom, zoomBy } = view;
  const [cursor, setCursor] = useState<Pixel | null>(null);
  useLayoutEffect(
    () => effect(() => draw(canvas.current as HTMLCanvasElement)),
    [draw, width, height],
  );

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
    zoom: (factor, x, y) => zoomable && zoomBy(factor, x, y),
  });
  const onWheel = (event: WheelEvent & { currentTarget: HTMLElement }) => {
    const ours = event.ctrlKey || event.currentTarget.matches(":focus-within");
    // A page that is being scrolled past the picture goes on scrolling.
    if (!zoomable || !ours || (event.deltaY > 0 && zoom === 1)) return;
    handled(event);
    const { x, y } = pointOf(event);
    zoomBy(2 ** (-event.deltaY / (event.deltaMode ? 8 : 240)), x, y);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const next = cursorMove(key, event.shiftKey ? 10 : 1, cursor, picture);
    if (next) {
      hover(next);
      view.show(next);
    } else if (key === "Enter" || key === " ") pick(cursor);
    else if (!zoomable) return;
    else if (key === "+" || key === "=") zoomBy(ZOOM.step);
    else if (key === "-") zoomBy(1 / ZOOM.step);
    else if (key === "0") view.fit();
    else return;
    handled(event);
  };
  const boxes = [...(p.overlays ?? []), ...(cursor ? [cursorBox(cursor)] : [])];
  const aliased = sheet.width * devicePixelRatio < width;
  return (
    <div class="cnnw-image" style={{ "--cnnw-ratio": width / height }}>
      <div
        ref={stage}
        class="cnnw-stage"
        role="application"
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys read pixels
        tabIndex={0}
        style={{ touchAction: zoom > 1 ? "none" : "pan-x pan-y" }}
        onBlur={() => hover(null)}
        {...{ onWheel, onKeyDown, ...pointers }}
      >
        <div style={{ ...pixels(sheet), visibility: size.width ? "visible" : "hidden" }}>
          <canvas ref={canvas} style={{ imageRendering: aliased ? "auto" : "pixelated" }} />
          {boxes.map((box, i) => (
            <OverlayBox key={i} {...{ box, picture }} />
          ))}
        </div>
      </div>
      {(readout !== undefined || zoomable) && (
        <div class="cnnw-readout">
          <output aria-live="polite">{readout}</output>
          {zoomable && <ZoomButtons {...{ zoom, zoomBy }} fit={view.fit} />}
        </div>
      )}
    </div>
  );
}

interface ZoomButtonsProps {
  zoom: number;
  zoomBy: (factor: number) => void;
  fit: () => void;
}

const ZoomButtons = ({ zoom, zoomBy, fit }: ZoomButtonsProps) => (
  <>
    <IconButton
      icon="minus"
      label="Zoom out (−)"
      disabled={zoom <= 1}
      onClick={() => zoomBy(1 / ZOOM.step)}
    />
    <button
      type="button"
      class="cnnw-icon"
      title="Whole picture (0)"
      aria-label="Whole picture"
      onClick={fit}
    >
      {percent(Math.round(100 * zoom) / 100)}
    </button>
    <IconButton
      icon="plus"
      label="Zoom in (+)"
      disabled={zoom >= ZOOM.max}
      onClick={() => zoomBy(ZOOM.step)}
    />
  </>
);

const pixels = (sheet: object) =>
  Object.fromEntries(Object.entries(sheet).map(([k, v]) => [k, `${v}px`]));

const cursorBox = ([row, column]: Pixel): Overlay => ({
  top: row,
  left: column,
  bottom: row + 1,
  right: column + 1,
  kind: "cursor",
});

const ARROWS: Record<string, Pixel> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** Where an arrow key leads; the first one only shows the cursor, in the middle. */
function cursorMove(
  key: string,
  step: number,
  cursor: Pixel | null,
  picture: { width: number; height: number },
) {
  const arrow = ARROWS[key];
  if (!arrow) return null;
  const to = (at: number, by: number, count: number) =>
    Math.min(count - 1, Math.max(0, at + by * step));
  const [row, column] = cursor ?? [picture.height >> 1, picture.width >> 1];
  return (
    cursor
      ? [to(row, arrow[0], picture.height), to(column, arrow[1], picture.width)]
      : [row, column]
  ) as Pixel;
}
