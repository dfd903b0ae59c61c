// Zoom and pan of a picture on a stage.
import { useState } from "preact/hooks";
import { ZOOM } from "./look";
import type { Size } from "./size";

/** `zoom` 1 fits the stage; `x`, `y` is the point of the picture (0 … 1) in the middle of the stage. */
export interface Viewport {
  zoom: number;
  x: number;
  y: number;
}

/** Where the picture lies on the stage, in CSS pixels. */
export interface Sheet extends Size {
  left: number;
  top: number;
}

/** A pixel of the picture. */
export type Pixel = readonly [row: number, column: number];

export const FIT: Viewport = { zoom: 1, x: 0.5, y: 0.5 };

export function sheetOf({ zoom, x, y }: Viewport, stage: Size, picture: Size): Sheet {
  const scale = zoom * Math.min(stage.width / picture.width, stage.height / picture.height);
  const width = picture.width * scale;
  const height = picture.height * scale;
  return { width, height, left: stage.width / 2 - x * width, top: stage.height / 2 - y * height };
}

/** The nearest view that leaves no margin where the picture could fill it. */
export function clampView(view: Viewport, stage: Size, picture: Size): Viewport {
  const zoom = Math.min(ZOOM.max, Math.max(1, view.zoom));
  const { width, height } = sheetOf({ ...view, zoom }, stage, picture);
  const axis = (at: number, half: number) =>
    half >= 0.5 ? 0.5 : Math.min(1 - half, Math.max(half, at));
  return {
    zoom,
    x: axis(view.x, stage.width / width / 2),
    y: axis(view.y, stage.height / height / 2),
  };
}

/** Zooms by a factor; the picture stays put under a point of the stage (CSS pixels). */
export function zoomAt(
  view: Viewport,
  factor: number,
  px: number,
  py: number,
  stage: Size,
  picture: Size,
): Viewport {
  const zoom = Math.min(ZOOM.max, Math.max(1, view.zoom * factor));
  const old = sheetOf(view, stage, picture);
  const grown = zoom / view.zoom;
  const x = (px - old.left) / old.width + (stage.width / 2 - px) / (old.width * grown);
  const y = (py - old.top) / old.height + (stage.height / 2 - py) / (old.height * grown);
  return clampView({ zoom, x, y }, stage, picture);
}

/** The pixel under a point of the stage. */
export function pixelAt(sheet: Sheet, picture: Size, px: number, py: number): Pixel | null {
  const row = Math.floor(((py - sheet.top) / sheet.height) * picture.height);
  const column = Math.floor(((px - sheet.left) / sheet.width) * picture.width);
  return row >= 0 && column >= 0 && row < picture.height && column < picture.width
    ? [row, column]
    : null;
}

/** The view moved no further than it takes to show a pixel. */
export function showing(
  view: Viewport,
  [row, column]: Pixel,
  stage: Size,
  picture: Size,
): Viewport {
  const sheet = sheetOf(view, stage, picture);
  const axis = (centre: number, at: number, count: number, room: number) => {
    const half = Math.max(0, room / 2 - 1 / count);
    return Math.min((at + 0.5) / count + half, Math.max((at + 0.5) / count - half, centre));
  };
  const x = axis(view.x, column, picture.width, stage.width / sheet.width);
  const y = axis(view.y, row, picture.height, stage.height / sheet.height);
  return clampView({ ...view, x, y }, stage, picture);
}

/** A picture's view, and what changes it. */
export function useViewport(stage: Size, picture: Size) {
  const [view, setView] = useState(FIT);
  const sheet = sheetOf(view, stage, picture);
  return {
    zoom: view.zoom,
    sheet,
    at: (x: number, y: number) => pixelAt(sheet, picture, x, y),
    fit: () => setView(FIT),
    show: (pixel: Pixel) => setView((old) => showing(old, pixel, stage, picture)),
    zoomBy: (factor: number, x = stage.width / 2, y = stage.height / 2) =>
      setView((old) => zoomAt(old, factor, x, y, stage, picture)),
    pan: (dx: number, dy: number) =>
      setView((old) => {
        const { width, height } = sheetOf(old, stage, picture);
        return clampView({ ...old, x: old.x - dx / width, y: old.y - dy / height }, stage, picture);
      }),
  };
}

export type View = ReturnType<typeof useViewport>;
