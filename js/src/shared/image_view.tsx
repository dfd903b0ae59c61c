import { effect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "./button";
import { percent } from "./format";
import { IconButton } from "./icon";
import { type ImageInput, useImageInput } from "./image_input";
import { ZOOM } from "./look";
import { type Overlay, OverlayBox, pixelBox } from "./overlay";
import { useSize } from "./size";
import { type Pixel, type Sheet, useViewport, type View } from "./viewport";
import "./image_view.css";

export type { Overlay, Pixel };

/** `width` and `height`: the size of the picture in its own pixels. */
export interface ImageViewProps extends ImageInput {
  /** What the picture shows, for screen readers. */
  label: string;
  /**
   * Draws the picture, a canvas pixel per pixel. Called again when it changes (keep it stable) or
   * when a signal that it reads does.
   */
  draw: (canvas: HTMLCanvasElement) => void;
  overlays?: readonly (Overlay | null)[] | undefined;
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
  const view = useViewport(useSize(stage), picture);
  const { cursor, ...handlers } = useImageInput(p, view);
  useLayoutEffect(
    () => effect(() => draw(canvas.current as HTMLCanvasElement)),
    [draw, width, height],
  );
  const boxes = [...(p.overlays ?? []), cursor && pixelBox(cursor, "cursor")];
  const aliased = view.sheet.width * devicePixelRatio < width;
  return (
    <div class="cnnw-image" style={{ "--cnnw-ratio": width / height }}>
      <div
        ref={stage}
        class="cnnw-stage"
        role="application"
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys read pixels
        tabIndex={0}
        style={{ touchAction: view.zoom > 1 ? "none" : "pan-x pan-y" }}
        {...handlers}
      >
        <div style={pixels(view.sheet)}>
          <canvas ref={canvas} style={{ imageRendering: aliased ? "auto" : "pixelated" }} />
          {boxes.map((box, i) => box && <OverlayBox key={i} {...{ box, picture }} />)}
        </div>
      </div>
      {(readout !== undefined || zoomable) && (
        <div class="cnnw-readout">
          <output aria-live="polite">{readout}</output>
          {zoomable && <ZoomButtons {...view} />}
        </div>
      )}
    </div>
  );
}

const ZoomButtons = ({ zoom, zoomBy, fit }: View) => (
  <>
    <IconButton
      icon="minus"
      label="Zoom out (−)"
      disabled={zoom <= 1}
      onClick={() => zoomBy(1 / ZOOM.step)}
    />
    <Button class="cnnw-icon" title="Whole picture (0)" aria-label="Whole picture" onClick={fit}>
      {percent(Math.round(100 * zoom) / 100)}
    </Button>
    <IconButton
      icon="plus"
      label="Zoom in (+)"
      disabled={zoom >= ZOOM.max}
      onClick={() => zoomBy(ZOOM.step)}
    />
  </>
);

const pixels = ({ left, top, width, height }: Sheet) => ({
  left: `${left}px`,
  top: `${top}px`,
  width: `${width}px`,
  height: `${height}px`,
});
