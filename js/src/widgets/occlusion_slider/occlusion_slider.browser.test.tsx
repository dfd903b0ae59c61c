import { afterEach, describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import widget from "./index";
import { chanceAt, MockKernel, NAMES } from "./mock_kernel";

let stop = new AbortController();

function mount(
  traits: object = {},
  { width = 1000, manager }: { width?: number; manager?: object } = {},
) {
  const kernel = new MockKernel({ ...traits });
  if (manager) kernel.widget_manager = manager;
  const el = document.createElement("div");
  el.style.width = `${width}px`;
  document.body.append(el);
  stop = new AbortController();
  stop.signal.addEventListener("abort", () => el.remove());
  widget.render({ model: kernel.model, el, signal: stop.signal });
  return kernel;
}

afterEach(() => stop.abort());

const find = <E extends HTMLElement = HTMLElement>(selector: string) =>
  document.querySelector<E>(selector) as E;
const root = () => find(".cnnw-os");
const stage = () => find("[role=application]");
const placed = () => [root().dataset.row, root().dataset.column].map(Number);
const eventually = <T,>(look: () => T) => expect.poll(look, { timeout: 5000 });
const see = (text: string | RegExp) => expect.element(page.getByText(text).first()).toBeVisible();

const gone = (text: RegExp) => eventually(() => page.getByText(text).elements().length).toBe(0);

/** The pointer does something at a pixel of the picture. */
function pointer(type: string, row: number, column: number, more: object = {}): void {
  const { x, y, width, height } = stage().getBoundingClientRect();
  stage().setPointerCapture = () => {};
  const at = {
    clientX: x + ((column + 0.5) / 16) * width,
    clientY: y + ((row + 0.5) / 16) * height,
  };
  stage().dispatchEvent(
    new PointerEvent(type, { bubbles: true, pointerId: 1, button: 0, ...at, ...more }),
  );
}

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

/** The colour of a pixel of the picture, or of the map over it. */
const colour = (view: string, row: number, column: number) => [
  ...(find<HTMLCanvasElement>(`[data-view=${view}]`)
    .getContext("2d")
    ?.getImageData(column, row, 1, 1).data ?? []),
];

describe("the patch", () => {
  test("shows its fill, and the first answer is there without asking", async () => {
    const kernel = mount();
    expect(placed()).toEqual([6, 6]);
    expect(colour("picture", 7, 7)).toEqual([80, 80, 80, 255]);
    expect(colour("picture", 5, 7)).toEqual([200, 200, 200, 255]);
    expect(kernel.asked("patch")).toEqual([]);
    await see("10 %");
    await see("−80 points");
  });

  test.each(["mouse", "touch"])("is dragged by %s, and the bars follow", async (pointerType) => {
    const kernel = mount();
    pointer("pointerdown", 8, 8, { pointerType });
    pointer("pointermove", 6, 4, { pointerType });
    pointer("pointermove", 3, 3, { pointerType });
    pointer("pointerup", 3, 3, { pointerType });
    await eventually(placed).toEqual([1, 1]);
    await eventually(() => kernel.get("row")).toBe(1);
    const cat = Number(find("[data-class='0']").dataset.probability);
    expect(cat).toBeCloseTo(chanceAt({ row: 1, column: 1 }));
  });

  test("goes where the picture is pressed, and never off it", async () => {
    mount();
    pointer("pointerdown", 15, 2);
    pointer("pointerup", 15, 2);
    await eventually(placed).toEqual([12, 1]);
    pointer("pointerdown", 0, 15);
    pointer("pointermove", -9, 40);
    pointer("pointerup", -9, 40);
    await eventually(placed).toEqual([0, 12]);
  });

  test("of 200 moves asks for the first and the last while nobody answers", async () => {
    const kernel = mount();
    kernel.answering = false;
    pointer("pointerdown", 8, 8);
    for (let i = 0; i < 200; i++) pointer("pointermove", 5 + (i % 7), 4 + (i % 5));
    pointer("pointermove", 2, 2);
    expect(kernel.asked("patch")).toHaveLength(1);
    kernel.answering = true;
    kernel.reply(kernel.asked("patch")[0] as object, { rows: [] });
    await eventually(placed).toEqual([0, 0]);
    expect(kernel.asked("patch")).toHaveLength(2);
  });

  test("moves by keys, with Shift a stride", async () => {
    mount();
    stage().focus();
    await userEvent.keyboard("{ArrowUp}{ArrowLeft}{Shift>}{ArrowRight}{/Shift}");
    await eventually(placed).toEqual([5, 7]);
    await see(/^Patch at row 5, column 7: cat/);
  });

  test("is kept by a click or Enter, acts on with the next, and is let go", async () => {
    const kernel = mount();
    pointer("pointerdown", 8, 8);
    pointer("pointerup", 8, 8);
    expect(kernel.get("kept")).toEqual([[6, 6, 4]]);
    stage().focus();
    await userEvent.keyboard("{Shift>}{ArrowUp}{ArrowUp}{ArrowUp}{/Shift}");
    await eventually(placed).toEqual([0, 6]);
    expect(kernel.asked("patch").at(-1)?.args.kept).toEqual([[6, 6, 4]]);
    await see(
      "Probability with the patch at row 0, column 6 and 1 kept one; change from the untouched picture (the mark)",
    );
    expect(colour("picture", 9, 7)).toEqual([80, 80, 80, 255]);
    expect(colour("picture", 1, 7)).toEqual([80, 80, 80, 255]);
    await userEvent.keyboard("{Enter}{Enter}");
    const kept = page.getByRole("list", { name: "Kept patches" }).getByRole("listitem");
    await eventually(() => kept.elements().length).toBe(2);
    await page.getByRole("button", { name: "4 × 4 at row 6, column 6" }).click();
    await eventually(placed).toEqual([6, 6]);
    await page.getByRole("button", { name: "Remove patch 1" }).click();
    expect(kernel.get("kept")).toEqual([[0, 6, 4]]);
    await eventually(() => document.activeElement?.textContent).toContain("row 0, column 6");
    await userEvent.keyboard("{Delete}");
    expect(kernel.get("kept")).toEqual([]);
    await eventually(() => document.activeElement?.textContent).toBe("Keep patch");
  });

  test("that were kept go one by one with Delete on the picture, or all at once", async () => {
    const kernel = mount({
      kept: [
        [0, 0, 4],
        [2, 2, 3],
        [9, 9, 2],
      ],
    });
    stage().focus();
    await userEvent.keyboard("{Delete}");
    expect(kernel.get("kept")).toEqual([
      [0, 0, 4],
      [2, 2, 3],
    ]);
    await page.getByRole("button", { name: "Clear" }).click();
    expect(kernel.get("kept")).toEqual([]);
    await eventually(() => document.querySelectorAll(".cnnw-os-kept li").length).toBe(0);
    expect(colour("picture", 1, 1)).toEqual([200, 200, 200, 255]);
  });

  test("is where the kernel puts it", async () => {
    const kernel = mount();
    kernel.update("row", 2);
    await eventually(placed).toEqual([2, 6]);
  });

  test("is named as the picture is; where it is told of is where it is", async () => {
    mount();
    expect(stage().getAttribute("aria-label")).toMatch(/^Picture, patch of 4 × 4 at row 6/);
    await see(/^Patch at row 6, column 6: cat/);
    stage().focus();
    await userEvent.keyboard("{ArrowUp}");
    await eventually(placed).toEqual([5, 6]);
    expect(find("[aria-live=polite].cnnw-sr").textContent).not.toContain("row 6,");
    await see(/^Probability with the patch at row 5, column 6;/);
  });

  test("may be moved by keys that are written under it", async () => {
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
    const options = [...find<HTMLSelectElement>("[aria-label=Measure]").options];
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
    const chosen = () => find<HTMLSelectElement>("[aria-label=Fill]").selectedOptions[0]?.text;
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

  test("a class is chosen by its bar; its name is text", async () => {
    const kernel = mount();
    await page.getByRole("button", { name: "<b>dog</b>" }).click();
    expect(kernel.get("target")).toBe(1);
    expect(document.querySelector(".cnnw-os b")).toBeNull();
  });

  test("says what the kernel refuses", async () => {
    const kernel = mount();
    kernel.answering = false;
    kernel.update("row", 3);
    const [asked] = kernel.asked("patch");
    kernel.message({ kind: "reply", id: asked?.id, ok: false, error: "window: too large" });
    await expect.element(page.getByRole("alert")).toHaveTextContent("window: too large");
  });
});

describe("a sweep", () => {
  test("tells its cost, runs, is drawn as it comes, and stops", async () => {
    const kernel = mount();
    await see("7 × 7 = 49 places, about 10 s");
    await page.getByRole("button", { name: "Run sweep" }).click();
    expect(kernel.asked("run")).toHaveLength(1);
    kernel.update("running", true);
    kernel.frame(3);
    await eventually(() => root().dataset.done).toBe("21");
    expect(colour("map", 2, 2)[3]).toBe(255);
    expect(colour("map", 12, 2)[3]).toBe(0);
    expect(colour("map", 0, 0)[3]).toBe(0);
    await page.getByRole("button", { name: "Stop" }).click();
    expect(kernel.asked("stop")).toHaveLength(1);
    kernel.finish(3);
    await see("Stopped: 21 of 49 places measured");
    await see(/what shows no colour is not measured/);
    kernel.frame(2); // held up on its way
    expect(root().dataset.done).toBe("21");
  });

  test("is explained, and shows the drop on demand", async () => {
    const kernel = mount();
    kernel.finish();
    await see("probability of cat with the patch here; low = important");
    await see(/^Without a patch \(the mark\): 90 %/);
    const dark = colour("map", 8, 8);
    await page.getByRole("combobox", { name: "Map shows" }).selectOptions("the drop by the patch");
    await see("drop of the probability of cat by the patch here; high = important");
    expect(colour("map", 8, 8)).not.toEqual(dark);
    kernel.set("measure", "logit");
    await see("drop of the logit of cat by the patch here; high = important");
    await page.getByRole("button", { name: "<b>dog</b>" }).click();
    await see("drop of the logit of <b>dog</b> by the patch here; high = important");
  });

  test("has a mark where its reference is", async () => {
    const kernel = mount();
    kernel.finish();
    const mark = () => find<HTMLElement>(".cnnw-os-bar > u").style.left;
    await eventually(mark).toBe("100%"); // surest without a patch
    await see("90 %");
    await page.getByRole("combobox", { name: "Map shows" }).selectOptions("the drop by the patch");
    await eventually(mark).toBe("50%");
    const sweep = kernel.state._sweep;
    const kept = [[0, 0, 4]];
    const classes = sweep.classes.map((one: object) => ({
      ...one,
      bare: { logit: 2, log_odds: 0 },
    }));
    kernel.set("kept", kept);
    kernel.update("_sweep", { ...sweep, kept, classes });
    await see("Without the moving patch (the mark): 90 %; untouched picture: 50 %");
  });

  test("a cell that is pointed at has the patch until the pointer leaves; a click keeps it", async () => {
    const kernel = mount();
    kernel.finish();
    await eventually(() => find("[data-view=map]")).not.toBeNull();
    pointer("pointermove", 3, 5);
    await eventually(placed).toEqual([2, 4]);
    pointer("pointerdown", 3, 5);
    pointer("pointerup", 3, 5);
    await eventually(() => document.querySelectorAll(".cnnw-os-kept li").length).toBe(1);
    pointer("pointerleave", 3, 5);
    pointer("pointerout", 3, 5);
    await eventually(placed).toEqual([6, 6]);
  });

  test("of another patch or other weights is said to be old", async () => {
    const kernel = mount();
    kernel.finish();
    kernel.set("window", 5);
    await see("The patches have changed since this sweep; run it again for those shown.");
    kernel.set("window", 4);
    await gone(/have changed/);
    kernel.set("kept", [[0, 0, 4]]);
    await see("The patches have changed since this sweep; run it again for those shown.");
    kernel.update("_picture", { ...kernel.state._picture, key: 2 });
    await see("The weights have changed since this sweep; run it again.");
  });

  test("answers where there is no kernel", async () => {
    const kernel = mount({ _classes: [...NAMES, "fish"] }, { manager: { replay: true } });
    kernel.finish();
    await eventually(() => root().dataset.state).toBe("replay");
    pointer("pointermove", 3, 5);
    await eventually(placed).toEqual([2, 4]);
    const cat = Number(find("[data-class='0']").dataset.probability);
    expect(cat).toBeCloseTo(chanceAt({ row: 2, column: 4 }));
    expect(kernel.asked("patch")).toEqual([]);
    pointer("pointerdown", 3, 5);
    pointer("pointerup", 3, 5);
    pointer("pointerleave", 3, 5);
    expect(kernel.get("kept")).toEqual([]); // nobody could tell what it does
    expect(placed()).toEqual([2, 4]);
    await expect.element(page.getByRole("button", { name: "Keep patch" })).toBeDisabled();
    await expect.element(page.getByRole("button", { name: "Run sweep" })).toBeDisabled();
    await see("No kernel here: the patch has the settings that it was saved with.");
    await see(/^Point at the map to see/);
    await page.getByText("Class: cat").click();
    await eventually(() => document.querySelectorAll("[role=option]").length).toBe(3);
  });
});

describe("the whole", () => {
  test("fits into 480 px, has no ids, and only classes of its own", async () => {
    const kernel = mount({}, { width: 480 });
    kernel.finish();
    kernel.set("kept", [[0, 0, 4]]);
    kernel.update("_sweep", { ...kernel.state._sweep, kept: [[0, 0, 4]] });
    await page.getByRole("combobox", { name: "Map shows" }).selectOptions("the drop by the patch");
    await see(/beside 1 kept one; high = important/);
    for (const caption of document.querySelectorAll("figcaption"))
      expect(caption.scrollWidth).toBeLessThanOrEqual(caption.clientWidth);
    expect(root().scrollWidth).toBeLessThanOrEqual(480);
    expect(root().querySelectorAll("[id]")).toHaveLength(0);
    const classes = [...root().querySelectorAll("[class]")].flatMap((one) => [...one.classList]);
    expect(classes.filter((name) => !name.startsWith("cnnw-"))).toEqual([]);
  });

  test("says which layers notice", async () => {
    mount();
    await page.getByText("Which layers notice").click();
    await see("conv1");
    await see("25 %");
  });

  test("says that the kernel is gone", async () => {
    const kernel = mount();
    kernel.fire("comm:close");
    await see(/^The kernel was restarted/);
    expect(root().dataset.state).toBe("gone");
  });

  test("leaves nothing behind", () => {
    const kernel = mount();
    expect(kernel.listeners).toBeGreaterThan(0);
    stop.abort();
    expect(kernel.listeners).toBe(0);
  });
});
