import { describe, expect, test, vi } from "vitest";
import { page } from "vitest/browser";
import { failing, residual, small } from "./mock_graphs";
import { pixelValue, receipt, unitValue } from "./mock_tensors";
import { asked, eventually, mount, press, root, see, tile } from "./mounting";
import type { Layer, ReceiptValue } from "./types";

describe("the strip", () => {
  test("chooses layers by click and by keys; the trait follows", async () => {
    const kernel = mount();
    await page.getByRole("treeitem", { name: /^conv2/ }).click();
    expect(kernel.get("layer")).toBe("conv2");
    await press("{PageDown}");
    expect(kernel.get("layer")).toBe("relu#2");
    await press("{ArrowUp}{ArrowUp}");
    expect(kernel.get("layer")).toBe("relu");
    kernel.set("layer", "pool");
    await eventually(() => root().dataset.layer).toBe("pool");
    await see("pool · pooling max 2×2, stride 2 · 32×12×12 · each unit sees 6×6 input pixels");
  });

  test("says that the size of the input was guessed", async () => {
    mount({ graph: { ...small, guessed: true } });
    await see("1×28×28 (guessed)");
  });

  test("finds layers by kind", async () => {
    const kernel = mount();
    await tile(1).click();
    await press("/linear");
    await see("2 of 10 layers");
    await press("{Enter}");
    expect(kernel.get("layer")).toBe("fc1");
    await press("{Escape}");
    expect(page.getByRole("treeitem").elements()).toHaveLength(11);
  });

  test("of hundreds of layers draws few rows and opens the block of the chosen one", async () => {
    const kernel = mount({ graph: residual(80), traits: { layer: "layer5.2.add" } });
    await expect.element(page.getByRole("treeitem", { name: /^layer5.2.add/ })).toBeVisible();
    expect(page.getByRole("treeitem").elements().length).toBeLessThan(80);
    kernel.set("layer", "layer1.1.conv1");
    await expect.element(page.getByRole("treeitem", { name: /^layer1.1.conv1/ })).toBeVisible();
  });

  test("shows where the model failed", async () => {
    mount({ graph: failing, traits: { layer: "conv2" } });
    await see(/The model failed here: expected 16 input channels.* The layers before it/);
    await expect.element(page.getByRole("treeitem", { name: /failed/ })).toBeVisible();
  });

  test("promises no layers before a failing one where there are none", async () => {
    const layers = failing.layers.slice(-1);
    mount({ graph: { ...failing, layers }, traits: { layer: "conv2" } });
    await see(/The model failed here: expected 16 input channels/);
    expect(document.body.textContent).not.toContain("The layers before it");
  });
});

describe("maps", () => {
  test("are asked for once per packet, and not again on return", async () => {
    const kernel = mount({ graph: residual(1) });
    await eventually(() => asked(kernel, "maps").length).toBe(1);
    expect(asked(kernel, "maps")[0]?.args).toEqual({
      slot: "a",
      key: 1,
      layer: "conv1",
      of: "activations",
      first: 0,
      last: 64,
    });
    await press("{PageDown}");
    root().focus();
    await press("{PageDown}{PageUp}");
    await eventually(() => root().dataset.state).toBe("ready");
    expect(asked(kernel, "layer").length).toBeLessThanOrEqual(3);
    expect(asked(kernel, "maps").filter(({ args }) => args.layer === "conv1")).toHaveLength(1);
  });

  test("are asked for together with their ranges", async () => {
    const kernel = mount();
    kernel.delay = 1e6;
    await page.getByRole("treeitem", { name: /^conv2/ }).click();
    await expect
      .poll(() =>
        kernel.requests.filter(({ args }) => args.layer === "conv2").map(({ name }) => name),
      )
      .toEqual(["layer", "maps"]);
  });

  test("are coloured about zero", async () => {
    mount();
    const canvas = () => document.querySelector<HTMLCanvasElement>("[data-at='3'] canvas");
    await eventually(() => canvas()?.width).toBe(26);
    const pixel = canvas()?.getContext("2d")?.getImageData(9, 9, 1, 1).data;
    expect([...(pixel ?? [])]).toEqual([0xef, 0xee, 0xeb, 255]);
  });

  test("mark what is zero here and what is no number", async () => {
    mount();
    await see("zero here");
    await see("NaN or ∞");
    await see("not a number");
  });

  test("a click enlarges; Escape, or the button, goes back to the map's tile", async () => {
    const kernel = mount();
    const map = (channel: number) =>
      page.getByRole("application", { name: `conv1 channel ${channel}` });
    await tile(6).click();
    await expect.element(map(6)).toHaveFocus();
    expect(kernel.get("channel")).toBe(6);
    await press("{Escape}");
    await expect.element(tile(6)).toHaveFocus();
    await press("{ArrowRight}");
    await expect.element(tile(7)).toHaveFocus();
    expect(kernel.get("channel")).toBe(7);
    expect(page.getByRole("application").elements()).toHaveLength(0);
    await tile(4).click();
    await expect.element(map(4)).toBeVisible();
    await page.getByRole("button", { name: "All channels" }).click();
    await expect.element(tile(4)).toHaveFocus();
    await press("c");
    expect(kernel.get("color_range")).toBe("network");
  });

  test("by keys alone: to a channel, to one of its units, to the receipt, and back", async () => {
    const kernel = mount();
    await expect.element(tile(0)).toBeVisible();
    root().focus();
    await press("{ArrowRight}{ArrowRight}{Enter}");
    const map = page.getByRole("application", { name: "conv1 channel 2" });
    await expect.element(map).toHaveFocus();
    await press("{ArrowRight}{ArrowRight}{ArrowUp}{Enter}");
    expect(kernel.get("unit")).toEqual([12, 14]);
    const receipt = page.getByRole("region", { name: "Receipt of one unit" });
    await expect.element(receipt.getByText(/✓ equals what torch computed$/)).toBeVisible();
    await receipt.getByRole("button", { name: "Close" }).click();
    await expect.element(map).toHaveFocus();
    expect(kernel.get("channel")).toBe(2);
    await press("{Escape}");
    await expect.element(tile(2)).toHaveFocus();
  });

  test("sort by sparsity puts the empty one first", async () => {
    mount({ traits: { layer: "relu" } });
    await page.getByRole("combobox", { name: "Sort by" }).selectOptions("zeros, most first");
    await eventually(() => document.querySelector("[data-at='0']")?.textContent).toContain("3");
  });
});

describe("an enlarged map", () => {
  const open = () => mount({ traits: { channel: 2, unit: [4, 5] } });

  test("reads the exact value, and brushes both ways", async () => {
    open();
    const value = Math.fround(unitValue(1, "conv1", 2, 4, 5));
    await see(/row 4, column 5: /);
    const said =
      document.querySelector("[data-view=map] output")?.textContent?.replace("−", "-") ?? "";
    expect(Math.fround(Number(said.split(": ")[1]))).toBe(value);
    await see("sees rows 4–6, columns 5–7");
    await page
      .getByRole("application", { name: "Input picture 1" })
      .click({ position: { x: 100, y: 100 } });
    await see(/seen by units in rows/);
  });

  test.each([
    ["grey", small],
    ["colour", residual(1)],
  ])("reads the pixel of a %s picture under the pointer", async (_, graph) => {
    mount({ graph, traits: { channel: 2, unit: [4, 5] } });
    const input = page.getByRole("application", { name: "Input picture 1" });
    await input.hover({ position: { x: 100, y: 90 } });
    const said = () => document.querySelector("[data-view=input] output")?.textContent ?? "";
    await eventually(said).toMatch(/^row \d+, column \d+: /);
    const [channels = 1, edge = 1] = graph.input;
    const [row = 0, column = 0] = (said().match(/\d+/g) ?? []).map(Number);
    const [red, green, blue] = [0, 1, 2].map((c) => pixelValue(1, edge, row, column, c));
    expect(said()).toContain(
      channels === 3 ? `: red ${red}, green ${green}, blue ${blue};` : `: grey ${red};`,
    );
  });

  test("shows its unit's receipt, equal to torch", async () => {
    const kernel = open();
    const receipt = page.getByRole("region", { name: "Receipt of one unit" });
    await expect.element(receipt).toBeVisible();
    await expect.element(receipt.getByText(/✓ equals what torch computed$/)).toBeVisible();
    await page
      .getByRole("application", { name: "conv1 channel 2" })
      .click({ position: { x: 2, y: 2 } });
    expect(kernel.get("unit")).toEqual([0, 0]);
    await see(/hatched cells are padding/);
    await press("{Escape}");
    await eventually(() => kernel.get("unit")).toBeNull();
  });

  test("falls back on the grid's copy where the exact map cannot be had", async () => {
    mount({ answers: { map: () => ({ error: "This page was recorded without it." }) } });
    await tile(2).click();
    await see(/rounded, to within 0.2 % of the map’s range: This page was recorded without it/);
    const map = page.getByRole("application", { name: "conv1 channel 2" });
    await map.hover({ position: { x: 100, y: 100 } });
    await see(/row \d+, column \d+: ≈ /);
  });

  test("says when its arithmetic cannot be had", async () => {
    mount({
      traits: { unit: [4, 5] },
      answers: {
        receipt: () => ({ error: "There is no convolution here." }),
      },
    });
    await see("There is no convolution here.");
  });

  test("says what the model computed instead", async () => {
    mount({
      traits: { unit: [4, 5] },
      answers: {
        receipt: (args) => {
          const answer = receipt(small.layers[0] as Layer, args) as { value: ReceiptValue };
          Object.assign(answer.value, { equal: false, check: "A <b>hook</b> made it 0.87." });
          return answer;
        },
      },
    });
    await see("A <b>hook</b> made it 0.87.");
    expect(root().querySelector("[data-equal]")?.getAttribute("data-equal")).toBe("false");
  });

  test.each([
    [1280, 330],
    [1112, 330],
    [800, 200],
  ])("is large, and stays where it is when a receipt opens, at %d px", async (width, least) => {
    const kernel = mount({ width });
    await tile(2).click();
    const map = page.getByRole("application", { name: "conv1 channel 2" });
    await see(/Click a unit of the map/);
    const box = () => {
      const { x, y, width } = map.element().getBoundingClientRect();
      const from = root().getBoundingClientRect();
      return [x - from.x, y - from.y, width];
    };
    const before = box();
    const panel = document.querySelector("[data-pictures]") as Element;
    expect(before[2]).toBeGreaterThanOrEqual(least);
    if (width > 1000) expect(panel.scrollHeight).toBe(panel.clientHeight);
    kernel.set("unit", [4, 5]);
    await see(/✓ equals what torch computed/);
    if (width < 1000) panel.scrollTop = 0;
    expect(box()).toEqual(before);
  });

  test("leaves its input a corner beside the receipt, clear of the sums", async () => {
    mount({ width: 1112, traits: { layer: "conv2", channel: 2, unit: [4, 5] } });
    const edges = (what: string) =>
      (document.querySelector(what) as Element).getBoundingClientRect();
    await see(/✓ equals what torch computed/);
    const [input, map, sums, check, panel] = [
      "[data-view=input]",
      "[data-view=map]",
      "section section > div",
      "[data-equal]",
      "[role=tabpanel]",
    ].map(edges) as [DOMRect, DOMRect, DOMRect, DOMRect, DOMRect];
    expect(input.bottom).toBeLessThanOrEqual(sums.top);
    expect(sums.height).toBeGreaterThan(90);
    expect(sums.right).toBeLessThan(map.left);
    expect(check.bottom).toBeLessThanOrEqual(panel.bottom);
    expect(panel.right - map.right).toBeLessThan(8);
    const { scrollHeight, clientHeight } = document.querySelector("[data-pictures]") as Element;
    expect(scrollHeight).toBe(clientHeight);
  });

  test("reads any of its cells exactly, by the pointer and by the keys", async () => {
    mount({ width: 1280, traits: { layer: "conv2", channel: 2, unit: [4, 5] } });
    await see(/✓ equals what torch computed/);
    const sums = document.querySelector("section section > div") as HTMLElement;
    const line = () =>
      (document.querySelector("[data-cell]")?.textContent ?? "").replaceAll("−", "-");
    expect(line()).toMatch(/^Point at a cell/);
    expect([...sums.querySelectorAll("caption")].map((c) => c.textContent)).toEqual([
      "input",
      "weights",
      "products",
    ]);
    await page.elementLocator(sums.querySelectorAll("td")[4] as Element).hover();
    await eventually(line).toMatch(/^input channel \d+, row 1, column 1: /);
    sums.focus();
    await press("{ArrowDown}{ArrowDown}{ArrowRight}");
    await eventually(line).toMatch(/row 1, column 1: input \S+ × weight \S+ = product \S+$/);
    const cell = document.activeElement as HTMLTableCellElement;
    expect(cell.closest("table")?.getAttribute("aria-label")).toMatch(/, products$/);
    expect(getComputedStyle(cell).outlineStyle).toBe("solid");
    const [x, w, product] = (
      line()
        .split(": ")[1]
        ?.match(/-?[\d.]+(e-?\d+)?/g) ?? []
    ).map(Number);
    expect(Math.fround(Math.fround(x as number) * Math.fround(w as number))).toBe(
      Math.fround(product as number),
    );
    expect(cell.title.replace("−", "-")).toBe(String(product));
    await press("{ArrowDown}{ArrowDown}");
    await eventually(line).toContain("row 0, column 1");
    expect(cell.closest("[data-channel]")).not.toBe(
      document.activeElement?.closest("[data-channel]"),
    );
  });

  test("of many input channels lists the largest first, and says so", async () => {
    mount({ traits: { layer: "conv2", unit: [4, 5] } });
    await see(/rows sorted by \|Σ\|, largest first/);
    await page.getByRole("button", { name: /show all 32/ }).click();
    await eventually(() => document.querySelectorAll(".cnnw-lb-sum").length).toBe(32);
    await see(/rows in the order of the channels/);
  });

  test("its code goes to the clipboard, or to a field where there is none", async () => {
    const write = vi
      .spyOn(navigator.clipboard, "writeText")
      .mockRejectedValue(new Error("not allowed"));
    open();
    await page.getByRole("button", { name: "Copy as code" }).click();
    await expect.element(page.getByRole("textbox", { name: "Code" })).toHaveValue("import torch\n");
    write.mockResolvedValue();
    await page.getByRole("button", { name: "Copy as code" }).click();
    await see("Copied");
    write.mockRestore();
  });
});
