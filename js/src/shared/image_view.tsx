import type { ComponentChildren } from "preact";
export interface Overlay {
  /** Half-open, in pixels of the picture. */
  top: number;
  left: number;
  bottom: number;
  right: number;
  label?: string;
  /** "field": an area; "unit": one unit, drawn strongly. */
  kind?: "field" | "unit";
}

/** A pixel of the picture. */
export type Pixel = readonly [row: number, column: number];

export interface ImageViewProps {
  /** What the picture shows, for screen readers. */
  label: string;
  /** Size of the picture in its own pixels. */
  width: number;
  height: number;
  /** Draws the picture, a canvas pixel per pixel; called again whenever it changes (keep it stable) or a signal that it reads does. */
  draw: (canvas: HTMLCanvasElement) => void;
  overlays?: readonly Overlay[];
  /** Pixel under the pointer or the keyboard cursor; null when it left. */
  onHover?: (at: Pixel | null) => void;
  onClick?: (at: Pixel) => void;
  zoomable?: boolean;
  /** A line under the picture, announced politely. */
  readout?: ComponentChildren;
}
export function ImageView(p: ImageViewProps) {
  return <div class="cnnw-image" role="img" aria-label={p.label} />;
}
