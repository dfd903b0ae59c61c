// What is written: numbers, their colours, and what they are of.
import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { eventually, find, mount, placed, root, see, stage } from "./mounting";

/** A pixel painted with these colours, one over the other. */
function pixelOf(paints: string[]): number[] {
  const context = document.createElement("canvas").getContext("2d") as CanvasRenderingContext2D;
  for (const paint of paints) {
    context.fillStyle = paint;
    context.fillRect(0, 0, 1, 1);
  }
  return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

/** WCAG contrast of a colour on a ground. */
function contrast(color: string, ground: string[]): number {
  const light = (paints: string[]) => {
    const [r, g, b] = pixelOf(paints).map((byte) => {
      const x = byte / 255;
      return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const [a, b] = [light([...ground, color]), light(ground)];
  return Math.max(a, b) / Math.min(a, b);
}

const list = (name: string) =>
  page.getByRole("combobox", { name, exact: true }).element() as HTMLSelectElement;

describe("what is written", () => {
  test("the stage is named as the picture is; where it is told of is where it is", async () => {
    mount();
    expect(stage().getAttribute("aria-label")).toMatch(/^Picture, patch of 4 × 4 at row 6/);
    await see(/^Patch at row 6, column 6: cat/);
    stage().focus();
    await userEvent.keyboard("{ArrowUp}");
    await eventually(placed).toEqual([5, 6]);
    expect(find("[aria-live=polite].cnnw-sr").textContent).not.toContain("row 6,");
    await see(/^Probability with the patch at row 5, column 6;/);
  });

  test("the keys are told", async () => {
    mount();
    await see(/^Arrow keys move the patch by 1 px, with Shift by a stride; Enter keeps it, Delete/);
  });

  test("a class is looked up among a thousand, the likeliest first", async () => {
    const names = [...Array(1000).keys()].map((i) => `breed ${i}`);
    const kernel = mount({ _classes: names });
    expect(document.querySelectorAll("[role=option]").length).toBe(0);
    await page.getByText("Class: breed 0").click();
    const options = () => document.querySelectorAll("[role=option]");
    await eventually(() => options().length).toBe(1000);
    expect(options()[0]?.textContent).toBe("breed 0 10 %");
    await page.getByRole("searchbox", { name: "Search classes" }).fill("breed 99");
    await eventually(() => options().length).toBe(11);
    await userEvent.keyboard("{Enter}");
    expect(kernel.get("target")).toBe(99);
    await see("Class: breed 99");
  });

  test("the numbers are of the measure, before any sweep", async () => {
    const kernel = mount();
    const cat = () =>
      [...find("[data-class='0']").querySelectorAll("output")].map((o) => o.textContent);
    expect(cat()).toEqual(["10 %", "−80 points"]);
    await page.getByRole("combobox", { name: "Measure" }).selectOptions("logit");
    expect(kernel.get("measure")).toBe("logit");
    await eventually(cat).toEqual(["0.1", "−0.8"]);
    await see(/^Logit with the patch at row 6, column 6; .*bars: probability$/);
    await page.getByRole("combobox", { name: "Measure" }).selectOptions("log-odds");
    await eventually(cat).toEqual(["−2.197", "−4.39"]);
  });

  test("of probabilities no logits are offered", async () => {
    const kernel = mount({ _measures: ["probability", "log-odds"], _note: "maps are averaged" });
    const options = [...list("Measure").options];
    expect(options.map((one) => one.text)).toEqual(["output (already a probability)", "log-odds"]);
    await see(/^Output \(already a probability\) with the patch/);
    await see("maps are averaged");
    kernel.finish();
    await see("output (already a probability) of cat with the patch here; low = important");
    await page.getByRole("combobox", { name: "Measure" }).selectOptions("log-odds");
    expect(kernel.get("measure")).toBe("log-odds");
  });

  test("the swatch has the colour that the network sees, and the fill says so", async () => {
    const kernel = mount();
    const swatch = find<HTMLInputElement>("[type=color]");
    const chosen = () => list("Fill").selectedOptions[0]?.text;
    expect(swatch.value).toBe("#505050");
    expect(chosen()).toBe("mean of this picture (80)");
    kernel.set("fill", "#ff0000");
    await eventually(chosen).toBe("#ff0000");
    kernel.update("_filled", { ...kernel.state._filled, fill: "#ff0000" });
    await eventually(chosen).toBe("#ff0000, shown as #505050");
  });

  test.each(["light", "dark"])("changes can be read on every ground, %s", async (scheme) => {
    mount();
    root().style.colorScheme = scheme;
    const ground = [getComputedStyle(root()).backgroundColor];
    const rows = [...document.querySelectorAll<HTMLElement>("[data-class]")];
    const seen = rows.map((row) => {
      const { color } = getComputedStyle(row.lastElementChild as HTMLElement);
      return contrast(color, [...ground, getComputedStyle(row).backgroundColor]);
    });
    expect(new Set(rows.map((row) => row.lastElementChild?.className))).toEqual(
      new Set(["cnnw-down", "cnnw-up"]),
    );
    for (const ratio of seen) expect(ratio).toBeGreaterThan(4.5);
    const [red, green, blue] = pixelOf([getComputedStyle(find(".cnnw-down")).color]) as number[];
    expect(blue).toBeGreaterThan(Math.max(red as number, green as number)); // not the map's red
  });
});
