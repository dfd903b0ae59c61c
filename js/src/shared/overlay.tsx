import type { Size } from "./size";
import type { Pixel } from "./viewport";

export interface Overlay {
  /** Half-open, in pixels of the picture. */
  top: number;
  left: number;
  bottom: number;
  right: number;
  label?: string | undefined;
  /** "field": an area; "unit": one unit, drawn strongly; "cursor": the pixel that is read. */
  kind?: "field" | "unit" | "cursor" | undefined;
}

/** The box around one pixel. */
export const pixelBox = ([row, column]: Pixel, kind: Overlay["kind"]): Overlay => ({
  top: row,
  left: column,
  bottom: row + 1,
  right: column + 1,
  kind,
});

const share = (part: number, whole: number) => `${(100 * part) / whole}%`;

/** A rectangle on a picture, at least a few pixels large, light and dark so that it shows on any colour. */
export function OverlayBox({ box, picture }: { box: Overlay; picture: Size }) {
  const { top, left, bottom, right, label, kind = "field" } = box;
  const style = {
    top: share(top, picture.height),
    left: share(left, picture.width),
    width: share(right - left, picture.width),
    height: share(bottom - top, picture.height),
  };
  return (
    <div class={`cnnw-overlay cnnw-${kind}`} style={style}>
      {label && <span class={top < picture.height / 8 ? "cnnw-below" : ""}>{label}</span>}
    </div>
  );
}
