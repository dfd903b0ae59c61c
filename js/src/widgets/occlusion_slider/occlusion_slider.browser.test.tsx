import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { chanceAt, NAMES } from "./mock_kernel";
import {
  colour,
  eventually,
  find,
  gone,
  mount,
  placed,
  pointer,
  root,
  see,
  stage,
  unmount,
} from "./mounting";

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
    await page.getByText("Class: cat").click();
    await eventually(() => find("[role=listbox]")?.getBoundingClientRect().right).toBeLessThan(480);
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
    unmount();
    expect(kernel.listeners).toBe(0);
  });
});
