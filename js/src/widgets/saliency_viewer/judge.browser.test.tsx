import { describe, expect, test } from "vitest";
import { page } from "vitest/browser";
import { pack } from "../../shared/packing";
import { made, NAMES } from "./mock_kernel";
import { CAM, eventually, find, mount, SALIENCY, see, tile } from "./mounting";

describe("judging", () => {
  test("curves are computed with progress, cancelled, and drawn with their areas", async () => {
    const kernel = mount({ compare: ["grad_cam"] });
    kernel.finish(made("saliency"), made("grad_cam"));
    await eventually(() => tile(CAM).dataset.state).toBe("ready");
    await page.getByRole("button", { name: "Compute curves" }).click();
    const [asked] = kernel.asked("curves");
    expect(asked?.args).toEqual({ ids: [SALIENCY, CAM] });
    kernel.message({ kind: "progress", id: asked?.id, done: 1, total: 4 });
    await expect
      .element(page.getByRole("progressbar", { name: "Progress: Compute curves" }))
      .toHaveAttribute("value", "0.25");
    await page.getByRole("button", { name: "Cancel" }).click();
    expect(kernel.kinds()).toContain("cancel");
    const curve = { scores: [1, 0.5, 0], area: 0.5 };
    kernel.update("_curves", {
      ...{ target: "cat", measure: "probability", fractions: [0, 0.5, 1] },
      maps: [SALIENCY, CAM].map((id) => ({ id, version: 1, deletion: curve, insertion: curve })),
      ...{ reduction: "max_abs", part: "all" },
    });
    await see("Saliency: cat: area 0.5");
    await see("Areas by 2 steps.");
    await see("pixels taken away (%)");
    await see("probability of cat");
    const lines = [...document.querySelectorAll("polyline")];
    expect(lines.map((line) => line.getAttribute("points"))).toEqual(
      Array(4).fill("46.0,8.0 176.0,81.0 306.0,154.0"),
    );
    kernel.set("reduction", "sum");
    await see("The map has changed since; compute it again.");
  });

  test("a cut-out shows mask and object, and a missing extra is named", async () => {
    const kernel = mount();
    kernel.finish(made("saliency"));
    await page.getByRole("tab", { name: "Cut-out" }).click();
    await page.getByRole("button", { name: "Cut out" }).click();
    expect(kernel.asked("cut").at(-1)?.args).toEqual({ id: SALIENCY });
    const mask = pack(Uint8Array.of(255, ...new Uint8Array(15)), [4, 4], 0);
    const looks = { reduction: "max_abs", part: "all" };
    kernel.update("_cut", { id: SALIENCY, version: 1, mask, share: 1 / 16, ...looks });
    await see(/Foreground mask: 6\.25 % of the picture/);
    const cut = find<HTMLCanvasElement>("[aria-label='Cut-out']").getContext("2d");
    expect(cut?.getImageData(0, 0, 1, 1).data[3]).toBe(255);
    expect(cut?.getImageData(1, 0, 1, 1).data[3]).toBe(0);
  });

  test("noise by samples is a labelled table of maps", async () => {
    const kernel = mount();
    kernel.finish(made("saliency"));
    await page.getByRole("tab", { name: "Noise × samples" }).click();
    const maps = pack(
      new Float32Array(4 * 2 * 16).map((_, i) => i % 16),
      [4, 2, 4, 4],
      3,
    );
    kernel.update("_sheet", {
      ...{ target: NAMES[0], key: 1, noises: [0.1, 0.5], samples: [1, 5], apart: 2, maps },
    });
    await see("5 samples");
    await see(/1 in 2 rows and columns shown/);
    expect(document.querySelectorAll("td canvas")).toHaveLength(4);
  });
});
