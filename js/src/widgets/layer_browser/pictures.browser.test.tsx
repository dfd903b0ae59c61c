import { describe, expect, test } from "vitest";
import { page } from "vitest/browser";
import { Emitter } from "../../shared/fake_model";
import { GONE, LOST } from "../../shared/model";
import { residual, small } from "./mock_graphs";
import { MockKernel } from "./mock_kernel";
import { predictions } from "./mock_tensors";
import { asked, eventually, mount, press, root, see, tile, unmount } from "./mounting";
import type { Layer } from "./types";

describe("pictures", () => {
  test("are picked, and compared on one scale", async () => {
    const kernel = mount();
    await page.getByRole("button", { name: "Show picture 3" }).click();
    await eventually(() => asked(kernel, "maps").some(({ args }) => args.key === 103)).toBe(true);
    await page.getByRole("button", { name: "Compare" }).click();
    await see("Drop or choose a second picture to compare");
    await page.getByRole("button", { name: "Show picture 8" }).click();
    await see("B: picture 8");
    await expect
      .poll(() => asked(kernel, "maps").some(({ args }) => args.slot === "b" && args.key === 108))
      .toBe(true);
    await page.getByRole("button", { name: "Compare" }).click();
    await eventually(() => document.querySelectorAll(".cnnw-lb-card").length).toBe(1);
  });

  const compared = async (width: number, traits = {}) => {
    const kernel = mount({ width, traits });
    await page.getByRole("button", { name: "Compare" }).click();
    await page.getByRole("button", { name: "Show picture 8" }).click();
    await see("B: picture 8");
    return kernel;
  };

  test.each([1200, 800, 480])("both stay in view beside a receipt, at %d px", async (width) => {
    await compared(width, { layer: "conv2", channel: 2, unit: [4, 5] });
    await see(/✓ equals what torch computed/);
    const box = (what: string) => document.querySelector(what)?.getBoundingClientRect();
    for (const slot of ["a", "b"]) {
      await eventually(() => {
        const map = box(`[data-view=map][data-slot=${slot}] canvas`);
        const panel = box("[data-pictures='2']");
        const frame = box("[data-strip]");
        if (!map || !panel || !frame) return "not there";
        const top = Math.max(panel.top, frame.top);
        const bottom = Math.min(panel.bottom, frame.bottom);
        return map.width > 70 && map.top >= top && map.bottom <= bottom;
      }).toBe(true);
    }
  });

  test("compared in a narrow column leave room for maps", async () => {
    await compared(480);
    await expect.element(tile(0)).toBeVisible();
    const [first, second] = [...document.querySelectorAll(".cnnw-lb-card")].map((card) =>
      card.getBoundingClientRect(),
    ) as [DOMRect, DOMRect];
    expect(second.top).toBe(first.top);
    const top = document.querySelector(".cnnw-grid")?.getBoundingClientRect().top ?? 0;
    const line = document.querySelector(".cnnw-lb-readout")?.getBoundingClientRect();
    expect((line?.top ?? 0) - top).toBeGreaterThan(200);
    expect(line?.bottom).toBeLessThanOrEqual(root().getBoundingClientRect().bottom);
  });

  test("that are shown are marked among those offered", async () => {
    const kernel = mount();
    const marked = () =>
      [...document.querySelectorAll('[aria-current="true"]')].map(({ ariaLabel }) => ariaLabel);
    await eventually(marked).toEqual(["Show picture 1"]);
    const [one] = document.querySelectorAll('[aria-current="true"]');
    expect(getComputedStyle(one as Element).boxShadow).not.toBe("none");
    await page.getByRole("button", { name: "Show picture 3" }).click();
    await eventually(marked).toEqual(["Show picture 3"]);
    kernel.set("_pictures", {
      a: { ...(kernel.get("_pictures") as { a: object }).a, choice: null },
    });
    await eventually(marked).toEqual([]);
  });

  test("are offered in whole rows", async () => {
    const choices = (new MockKernel().get("_choices") as object[]).concat();
    mount({ traits: { _choices: [...choices, ...choices, ...choices] } });
    const tray = page.getByRole("group", { name: "Pictures to choose from" });
    await expect.element(tray).toBeVisible();
    const { top, bottom } = tray.element().getBoundingClientRect();
    for (const canvas of tray.element().querySelectorAll("canvas")) {
      const box = canvas.getBoundingClientRect();
      expect(box.bottom <= bottom || box.top >= bottom).toBe(true);
      expect(box.top).toBeGreaterThanOrEqual(top + 3); // room for the ring of the focus
    }
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
    const pinned = page.getByRole("list", { name: "Pinned channels" });
    await expect.element(pinned).toHaveTextContent("conv1 · 4−2.328 … 2.327");
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
  test("highlight their own answer; beside gradients the target is marked, too", async () => {
    const kernel = mount({ traits: { target: predictions(1).rows[2]?.index } });
    await page.getByRole("button", { name: "Compare" }).click();
    await page.getByRole("button", { name: "Show picture 8" }).click();
    await see("B: picture 8");
    const rows = (what: string) =>
      [...document.querySelectorAll(`.cnnw-lb-card ${what}`)].map(({ textContent }) => textContent);
    const answers = [1, 8].map((key) => predictions(key).rows[0]?.name);
    const own = () => rows(".cnnw-selected > :first-child");
    await eventually(own).toEqual(answers);
    expect(rows("button")).toEqual([]);
    await page.getByRole("tab", { name: "Gradients" }).click();
    const target = `target: ${predictions(1).rows[2]?.name}`;
    await eventually(() => rows("[aria-pressed=true]")).toContain(target);
    expect(own()).toEqual(answers);
    await page
      .getByRole("button", { name: answers[0] as string })
      .first()
      .click();
    expect(kernel.get("target")).toBe(predictions(1).rows[0]?.index);
  });

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
    await see("weight, this layer");
    await page.getByRole("combobox", { name: "Input" }).selectOptions("sum over inputs");
    await see("sum of 3 weights, this layer");
    await page.getByRole("combobox", { name: "Input" }).selectOptions("input channel 2");
    await expect
      .element(page.getByRole("grid", { name: "64 filters of conv1, input channel 2" }))
      .toBeVisible();
  });

  test("filters of a single input leave the choice of inputs out", async () => {
    mount({ traits: { view: "filters", channel: 2 } });
    await see("1×3×3 weights");
    expect(page.getByRole("combobox", { name: "Input" }).elements()).toHaveLength(0);
    expect(root().textContent).not.toContain("sum");
  });

  test("the range over the network says what it is of", async () => {
    mount({ traits: { color_range: "network" } });
    await see("value, all maps of the network; logits have their own range");
    const words = document.querySelector(".cnnw-lb-tools figcaption") as Element;
    expect(words.scrollWidth).toBeLessThanOrEqual(words.clientWidth);
  });

  test("long names of classes end in an ellipsis, and are read in full in a tooltip", async () => {
    const name = "Cardigan, a Cardigan Welsh corgi";
    const rows = predictions(1).rows.map((row) => ({ ...row, name }));
    mount({ traits: { view: "gradients", target: 9, _predictions: { a: { rows, note: null } } } });
    const list = page.getByRole("combobox", { name: /^Gradient/ });
    await list.selectOptions(`${name} (${rows[1]?.index})`);
    const cut = [list.element(), ...document.querySelectorAll(".cnnw-lb-card li > :first-child")];
    expect(cut).toHaveLength(6);
    for (const element of cut) {
      expect(element.getAttribute("title")).toContain(name);
      const { textOverflow, overflowX } = getComputedStyle(element);
      expect([textOverflow, overflowX === "visible"]).toEqual(["ellipsis", false]);
    }
  });

  test("the names of the inputs fit into their list", async () => {
    mount({ graph: residual(1), traits: { view: "filters" } });
    const list = page.getByRole("combobox", { name: "Input" });
    await expect.element(list).toBeVisible();
    const select = list.element() as HTMLSelectElement;
    const { width } = select.getBoundingClientRect();
    select.style.maxWidth = "none";
    expect(select.getBoundingClientRect().width).toBe(width);
  });

  test("units of a vector are chosen by arrow keys", async () => {
    const kernel = mount({ traits: { layer: "fc1" } });
    await see(/256 units, /);
    root().focus();
    await press("{ArrowRight}");
    await eventually(() => kernel.get("channel")).toBe(1);
  });

  test("the units of an output start at the predicted class, and say which is chosen", async () => {
    const kernel = mount({ traits: { layer: "conv2", channel: 7 } });
    await page.getByRole("treeitem", { name: /^fc2/ }).click();
    const [top] = predictions(1).rows;
    expect(kernel.get("channel")).toBe(top?.index);
    await see(`chosen: unit ${top?.index}, ${top?.name}`);
    await see(/^fc2 · linear 256 → 10 · 10 logits · /);
    expect(document.querySelector(".cnnw-lb-scroll [data-signed]")).toHaveAttribute(
      "data-signed",
      "true",
    );
    const bar = () => document.querySelector(".cnnw-lb-scroll i:not(.cnnw-negative)") as Element;
    expect(getComputedStyle(bar()).backgroundColor).toBe("rgb(194, 74, 58)");
    await page.getByRole("treeitem", { name: /^fc1/ }).click();
    expect(kernel.get("channel")).toBe(top?.index);
    await see(`▮ chosen: unit ${top?.index}`);
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
    const status = new Emitter();
    const manager = { kernel: { status: "idle", statusChanged: status } };
    const kernel = mount({ manager });
    await expect.element(tile(0)).toBeVisible();
    kernel.delay = 1e6;
    status.emit("restarting");
    await see(GONE);
    await expect.element(page.getByRole("button", { name: "Compare" })).toBeDisabled();
    await tile(2).click();
    await expect.element(page.getByRole("application", { name: "conv1 channel 2" })).toBeVisible();
    await page.getByRole("treeitem", { name: /^conv2/ }).click();
    await see("This was not seen before the kernel stopped.");
  });

  test("a lost connection: what was seen stays, the rest comes with it", async () => {
    const connection = new Emitter();
    mount({ manager: { kernel: { status: "idle", connectionStatusChanged: connection } } });
    await expect.element(tile(0)).toBeVisible();
    connection.emit("connecting");
    await see(LOST);
    await expect.element(page.getByRole("button", { name: "Compare" })).toBeEnabled();
    await page.getByRole("treeitem", { name: /^conv2/ }).click();
    await expect.element(page.getByRole("status", { name: "Computing" })).toBeVisible();
    connection.emit("connected");
    await expect.element(tile(0)).toBeVisible();
    expect(page.getByText(LOST).elements()).toHaveLength(0);
    expect(root().dataset).toMatchObject({ layer: "conv2", state: "ready" });
  });

  test("nothing computed yet", async () => {
    mount({ traits: { _graph: null, _pictures: null, _predictions: null } });
    await see("Nothing computed yet.");
    expect(root().dataset.state).toBe("empty");
  });

  test("a layer that puts out nothing", async () => {
    const [first, ...others] = small.layers;
    mount({ graph: { ...small, layers: [{ ...(first as Layer), shape: [0, 4, 4] }, ...others] } });
    await see("The layer puts out no values.");
  });

  test("an aborted view leaves nothing behind", async () => {
    const kernel = mount();
    await expect.element(tile(0)).toBeVisible();
    unmount();
    expect(document.querySelector(".cnnw-lb")).toBeNull();
    expect(kernel.listening).toBe(0);
  });
});

test("help lists the keys, and closes", async () => {
  mount();
  await expect.element(tile(0)).toBeVisible();
  root().focus();
  await press("{ArrowRight}{Enter}");
  await expect.element(page.getByRole("application", { name: "conv1 channel 1" })).toHaveFocus();
  await press("{Escape}");
  await expect.element(tile(1)).toHaveFocus();
  await press("?");
  await expect.element(page.getByRole("dialog", { name: "Keys and marks" })).toBeVisible();
  await press("{Escape}");
  expect(page.getByRole("dialog").elements()).toHaveLength(0);
  await expect.element(tile(1)).toHaveFocus();
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
