import { afterEach, describe, expect, test, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import widget from "./index";
import { failing, residual, small } from "./mock_graphs";
import { MockKernel } from "./mock_kernel";
import { unitValue } from "./mock_tensors";
import type { Graph } from "./types";

let stop = new AbortController();

interface Given {
  graph?: Graph;
  width?: number;
  traits?: Record<string, unknown>;
  answers?: MockKernel["answers"];
  manager?: object;
}

function mount({
  graph = small,
  width = 1200,
  traits = {},
  answers = {},
  manager = {},
}: Given = {}): MockKernel {
  const kernel = new MockKernel(graph, traits, manager);
  kernel.answers = answers;
  const el = document.createElement("div");
  el.style.width = `${width}px`;
  document.body.append(el);
  stop = new AbortController();
  stop.signal.addEventListener("abort", () => el.remove());
  widget.render({ model: kernel.model, el, signal: stop.signal });
  return kernel;
}

afterEach(() => stop.abort());

const root = () => document.querySelector<HTMLElement>(".cnnw-lb") as HTMLElement;
const tile = (channel: number) => page.getByRole("gridcell", { name: `${channel}`, exact: true });
const asked = (kernel: MockKernel, name: string) => kernel.requests.filter((r) => r.name === name);
const eventually = <T,>(look: () => T) => expect.poll(look, { timeout: 10_000 });
const press = (keys: string) => userEvent.keyboard(keys);
const see = (text: string | RegExp) => expect.element(page.getByText(text).first()).toBeVisible();

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
    await see(/The model failed here: expected 16 input channels/);
    await expect.element(page.getByRole("treeitem", { name: /failed/ })).toBeVisible();
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

  test("the first click selects, the second enlarges, Escape goes back and keeps the keys", async () => {
    const kernel = mount();
    await tile(4).click();
    expect(kernel.get("channel")).toBe(4);
    await tile(0).click();
    await tile(4).click();
    expect(page.getByRole("application").elements()).toHaveLength(0);
    await tile(4).click();
    await expect.element(page.getByRole("application", { name: "conv1 channel 4" })).toBeVisible();
    await press("{ArrowRight}{ArrowRight}");
    expect(kernel.get("channel")).toBe(6);
    await press("{Escape}");
    await expect.element(tile(6)).toBeVisible();
    await press("c");
    expect(kernel.get("color_range")).toBe("network");
  });

  test("two clicks enlarge the channel that was chosen from the start, too", async () => {
    mount();
    await tile(0).click();
    expect(page.getByRole("application").elements()).toHaveLength(0);
    await tile(0).click();
    await expect.element(page.getByRole("application", { name: "conv1 channel 0" })).toBeVisible();
  });

  test("Enter enlarges after arrow keys", async () => {
    const kernel = mount();
    await tile(0).click();
    await press("{ArrowRight}{ArrowRight}{Enter}");
    await expect.element(page.getByRole("application", { name: "conv1 channel 2" })).toBeVisible();
    expect(kernel.get("channel")).toBe(2);
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

  test("shows its unit's calculation, equal to torch", async () => {
    const kernel = open();
    const receipt = page.getByRole("region", { name: "Calculation of one unit" });
    await expect.element(receipt).toBeVisible();
    await expect.element(receipt.getByText(/✓ equals what torch computed/)).toBeVisible();
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
    await tile(2).click();
    await see(/rounded to 1\/252 of their range: This page was recorded without it/);
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

  test("of many input channels lists the largest first", async () => {
    mount({ traits: { layer: "conv2", unit: [4, 5] } });
    await page.getByRole("button", { name: /show all 32/ }).click();
    await eventually(() => document.querySelectorAll(".cnnw-lb-sum").length).toBe(32);
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

describe("pictures", () => {
  test("are picked, and compared on one scale", async () => {
    const kernel = mount();
    await page.getByRole("button", { name: "Show picture 3" }).click();
    await eventually(() => asked(kernel, "maps").some(({ args }) => args.key === 103)).toBe(true);
    await page.getByRole("button", { name: "Compare" }).click();
    await page.getByRole("button", { name: "Show picture 8" }).click();
    await see("B: picture 8");
    await expect
      .poll(() => asked(kernel, "maps").some(({ args }) => args.slot === "b" && args.key === 108))
      .toBe(true);
    await page.getByRole("button", { name: "Compare" }).click();
    await eventually(() => document.querySelectorAll(".cnnw-lb-card").length).toBe(1);
  });

  test("class names are text", async () => {
    mount({
      traits: {
        _predictions: {
          a: {
            rows: [{ index: 9, name: "<b>Ankle boot</b>", probability: 1, logit: 3 }],
            note: null,
          },
        },
      },
    });
    await see("<b>Ankle boot</b>");
  });

  test("a file is sent in parts", async () => {
    const kernel = mount();
    const file = new File([new Uint8Array(9 * 2 ** 20)], "big.png", { type: "image/png" });
    const data = new DataTransfer();
    data.items.add(file);
    root().dispatchEvent(
      new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }),
    );
    await eventually(() => asked(kernel, "upload").length).toBe(3);
    expect(asked(kernel, "upload")[2]?.args).toEqual({
      slot: "a",
      name: "big.png",
      part: 2,
      parts: 3,
    });
  });

  test("what is no picture is refused", async () => {
    mount();
    const data = new DataTransfer();
    data.items.add(new File(["x"], "notes.txt", { type: "text/plain" }));
    root().dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
    await see(/That is not a picture/);
    await page.getByRole("button", { name: "Dismiss" }).click();
    expect(page.getByRole("alert").elements()).toHaveLength(0);
  });

  test("a pinned channel stays, beside what it does now", async () => {
    mount();
    await tile(4).click();
    await press("p");
    await expect.element(page.getByRole("list", { name: "Pinned channels" })).toBeVisible();
    await page.getByRole("treeitem", { name: /^conv2/ }).click();
    await page.getByRole("button", { name: "Show picture 8" }).click();
    await see("now: picture 8");
    await page.getByText("conv1 · 4").click();
    await eventually(() => root().dataset.layer).toBe("conv1");
    await page.getByRole("button", { name: /^Unpin/ }).click();
    expect(page.getByRole("list", { name: "Pinned channels" }).elements()).toHaveLength(0);
  });
});

describe("other views", () => {
  test("gradients belong to a target", async () => {
    const kernel = mount();
    await page.getByRole("tab", { name: "Gradients" }).click();
    await expect
      .poll(() => asked(kernel, "maps").some(({ args }) => args.of === "gradients"))
      .toBe(true);
    await page.getByRole("combobox", { name: /Gradient/ }).selectOptions("Trouser (1)");
    expect(kernel.get("target")).toBe(1);
    await expect
      .poll(() => kernel.requests.at(-1)?.args)
      .toMatchObject({ of: "gradients", target: 1 });
  });

  test("filters say which inputs they are of", async () => {
    const kernel = mount({ graph: residual(1), traits: { view: "filters" } });
    await expect
      .poll(() => asked(kernel, "filters")[0]?.args)
      .toEqual({ layer: "conv1", input: "rgb", first: 0, last: 64 });
    await page.getByRole("combobox", { name: "Input" }).selectOptions("input channel 2");
    await eventually(() => asked(kernel, "filters").at(-1)?.args.input).toBe(2);
    await expect
      .element(page.getByRole("grid", { name: "64 filters of conv1, input channel 2" }))
      .toBeVisible();
  });

  test("units of a vector are chosen by arrow keys", async () => {
    const kernel = mount({ traits: { layer: "fc1" } });
    await see(/256 units, /);
    root().focus();
    await press("{ArrowRight}");
    await eventually(() => kernel.get("channel")).toBe(1);
  });

  test("a softmax sorts its classes", async () => {
    mount({ traits: { layer: "softmax" } });
    await eventually(() => document.querySelectorAll(".cnnw-lb-scroll li").length).toBe(10);
    const shown = [...document.querySelectorAll(".cnnw-lb-scroll li output")].map((o) =>
      Number.parseFloat(o.textContent ?? ""),
    );
    expect(shown).toEqual([...shown].sort((p, q) => q - p));
  });
});

describe("what goes wrong", () => {
  test("a failed request says so and can be tried again", async () => {
    let attempts = 0;
    const kernel = mount({
      answers: {
        layer: () =>
          attempts++ ? { value: {} } : { error: "Out of memory; use a smaller picture." },
      },
    });
    await see("Out of memory; use a smaller picture.");
    kernel.answers = {};
    await page.getByRole("button", { name: "Try again" }).click();
    await expect.element(tile(0)).toBeVisible();
  });

  test("an exported page offers no other pictures", async () => {
    mount({ manager: { replay: true } });
    await expect.element(tile(0)).toBeVisible();
    expect(root().dataset.state).toBe("replay");
    expect(page.getByRole("button", { name: "Compare" }).elements()).toHaveLength(0);
  });

  test("a restarted kernel: what was seen stays", async () => {
    let restart = (_: unknown, _status: string) => {};
    const statusChanged = {
      connect: (on: typeof restart) => {
        restart = on;
      },
      disconnect: () => {},
    };
    const kernel = mount({ manager: { kernel: { status: "idle", statusChanged } } });
    await expect.element(tile(0)).toBeVisible();
    kernel.delay = 1e6;
    restart(null, "restarting");
    await see(/The kernel was restarted. What you have seen stays usable/);
    await expect.element(page.getByRole("button", { name: "Compare" })).toBeDisabled();
    await tile(2).click();
    await tile(2).click();
    await expect.element(page.getByRole("application", { name: "conv1 channel 2" })).toBeVisible();
    await page.getByRole("treeitem", { name: /^conv2/ }).click();
    await see("This was not looked at before the kernel stopped.");
  });

  test("nothing computed yet", async () => {
    mount({ traits: { _graph: null, _pictures: null, _predictions: null } });
    await see("Nothing computed yet.");
    expect(root().dataset.state).toBe("empty");
  });

  test("an aborted view leaves nothing behind", async () => {
    const kernel = mount();
    await expect.element(tile(0)).toBeVisible();
    stop.abort();
    expect(document.querySelector(".cnnw-lb")).toBeNull();
    expect(kernel.listening).toBe(0);
  });
});

test("help lists the keys, and closes", async () => {
  mount();
  await tile(0).click();
  await press("?");
  await expect.element(page.getByRole("dialog", { name: "Keys and marks" })).toBeVisible();
  await press("{Escape}");
  expect(page.getByRole("dialog").elements()).toHaveLength(0);
});

test("at 480 px the strip folds away", async () => {
  mount({ width: 480 });
  await expect.element(tile(0)).toBeVisible();
  await eventually(() => page.getByRole("tree", { name: "Layers" }).elements()).toHaveLength(0);
  await page.getByRole("button", { name: "Layers" }).click();
  await page.getByRole("treeitem", { name: /^relu ·/ }).click();
  await eventually(() => root().dataset.layer).toBe("relu");
  await eventually(() => page.getByRole("tree", { name: "Layers" }).elements()).toHaveLength(0);
});
