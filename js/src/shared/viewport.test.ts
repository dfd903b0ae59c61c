import { describe, expect, it } from "vitest";
import { ZOOM } from "./look";
import { clampView, FIT, pixelAt, sheetOf, showing, type Viewport, zoomAt } from "./viewport";

const stage = { width: 400, height: 300 };
const picture = { width: 200, height: 100 };

describe("a picture on its stage", () => {
  it("fits, in the middle", () => {
    expect(sheetOf(FIT, stage, picture)).toEqual({ width: 400, height: 200, left: 0, top: 50 });
  });

  it("knows the pixel under every point, to the edge", () => {
    const sheet = sheetOf(FIT, stage, picture);
    expect(pixelAt(sheet, picture, 0, 50)).toEqual([0, 0]);
    expect(pixelAt(sheet, picture, 399.9, 249.9)).toEqual([99, 199]);
    expect(pixelAt(sheet, picture, 3.9, 52.1)).toEqual([1, 1]);
    expect(pixelAt(sheet, picture, 10, 49.9)).toBeNull();
    expect(pixelAt(sheet, picture, 400, 60)).toBeNull();
  });

  it("keeps the pixel under the pointer while it zooms", () => {
    let view: Viewport = FIT;
    for (const [factor, x, y] of [
      [3, 100, 120],
      [2, 300, 200],
      [0.7, 250, 180],
    ] as const) {
      const before = pixelAt(sheetOf(view, stage, picture), picture, x, y);
      view = zoomAt(view, factor, x, y, stage, picture);
      const after = pixelAt(sheetOf(view, stage, picture), picture, x, y);
      expect(Math.abs((after?.[0] ?? -9) - (before?.[0] ?? 0))).toBeLessThanOrEqual(1);
      expect(Math.abs((after?.[1] ?? -9) - (before?.[1] ?? 0))).toBeLessThanOrEqual(1);
    }
    expect(view.zoom).toBeCloseTo(4.2);
  });

  it("zooms neither out of the whole nor past the largest, and leaves no margin", () => {
    expect(zoomAt(FIT, 0.1, 5, 5, stage, picture)).toEqual(FIT);
    expect(zoomAt(FIT, 1e9, 5, 5, stage, picture).zoom).toBe(ZOOM.max);
    const { left, top } = sheetOf(
      clampView({ zoom: 4, x: -3, y: 9 }, stage, picture),
      stage,
      picture,
    );
    expect(left).toBeCloseTo(0);
    expect(top).toBeCloseTo(300 - 800);
  });

  it("moves to show a pixel, and not further", () => {
    const view = { zoom: 8, x: 0.5, y: 0.5 };
    expect(showing(view, [50, 100], stage, picture)).toEqual(view);
    for (const pixel of [
      [0, 0],
      [99, 199],
      [10, 150],
    ] as const) {
      const sheet = sheetOf(showing(view, pixel, stage, picture), stage, picture);
      const x = sheet.left + ((pixel[1] + 0.5) / picture.width) * sheet.width;
      const y = sheet.top + ((pixel[0] + 0.5) / picture.height) * sheet.height;
      expect(x > 0 && x < stage.width && y > 0 && y < stage.height).toBe(true);
    }
  });
});
