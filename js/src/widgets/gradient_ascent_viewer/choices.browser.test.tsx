import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { panel } from "./mock_kernel";
import { choose, eventually, find, mount, root, see, slide } from "./mounting";

describe("what is climbed", () => {
  test("is a channel of a layer, or one neuron of it", async () => {
    const kernel = mount();
    await page.getByText("Unit: conv2:5").click();
    await page.getByRole("option", { name: "conv1" }).click();
    expect(kernel.get("objective")).toBe("conv1:5");
    await page.getByRole("gridcell", { name: "2", exact: true }).click();
    expect(kernel.get("objective")).toBe("conv1:2");
    await page.getByRole("checkbox", { name: "one neuron of the map" }).click();
    expect(kernel.get("objective")).toBe("conv1:2:0:0");
    const column = page.getByRole("spinbutton", { name: "Column (0 … 7)" });
    await column.fill("7");
    await userEvent.keyboard("{Enter}");
    expect(kernel.get("objective")).toBe("conv1:2:0:7");
    await page.getByRole("option", { name: "fc" }).click();
    expect(kernel.get("objective")).toBe("fc:2"); // the last one that it has
    const channel = page.getByRole("spinbutton", { name: "Channel (0 … 2)" });
    await channel.fill("9");
    await userEvent.keyboard("{Enter}");
    expect(kernel.get("objective")).toBe("fc:2");
    await expect.element(channel).toHaveValue(2);
  });

  test("is a neuron within its map, as far as its rows and columns are known", async () => {
    const kernel = mount({ objective: "conv2:5:0:0" });
    const typed = async (name: string, value: string) => {
      await page.getByRole("spinbutton", { name, exact: true }).fill(value);
      await userEvent.keyboard("{Enter}");
      return kernel.get("objective");
    };
    await page.getByText("Unit: conv2:5:0:0").click();
    expect(await typed("Row (0 … 3)", "99")).toBe("conv2:5:3:0");
    expect(await typed("Column (0 … 5)", "99")).toBe("conv2:5:3:5");
    kernel.update("size", 224);
    expect(await typed("Row", "99")).toBe("conv2:5:99:5");
  });

  test("is a class that is searched for", async () => {
    const kernel = mount();
    await page.getByText("Class: …").click();
    await page.getByRole("searchbox", { name: "Search classes" }).fill("zeb");
    await userEvent.keyboard("{Enter}");
    expect(kernel.get("objective")).toBe("class:2");
    await see("Class: zebra");
    await choose("Measure", "probability");
    expect(kernel.get("measure")).toBe("probability");
    await choose("Compare", "seeds");
    await choose("How many", "9");
    expect([kernel.get("compare"), kernel.get("count")]).toEqual(["seeds", 9]);
  });

  test("of Python's making is only told, and of a linked widget's shown", async () => {
    const kernel = mount({ objective: "custom", layer: null, channel: null });
    await see("Objective: custom");
    kernel.update("objective", "conv1:3");
    await see("Unit: conv1:3");
    expect(root().textContent).not.toContain("Objective:");
  });

  test("is no class where the network has none", async () => {
    mount({ _classes: [] });
    await see("Unit: conv2:5");
    expect(root().textContent).not.toContain("Class:");
  });
});

describe("settings", () => {
  test("are automatic, off, or a number", async () => {
    const kernel = mount();
    const output = () =>
      page
        .getByRole("slider", { name: "Total variation" })
        .element()
        .getAttribute("aria-valuetext");
    expect(output()).toBe("automatic");
    const moves = (name: string) =>
      page.getByRole("slider", { name }).element().getAttribute("aria-valuetext");
    expect(moves("Jitter")).toBe("automatic (1\u00a0px)");
    kernel.update("_shape", [3, 224, 224]);
    await eventually(() => moves("Jitter")).toBe("automatic (14\u00a0px)");
    kernel.update("objective", "conv2:5:3:3");
    await eventually(() => moves("Jitter")).toBe("automatic (0.5\u00a0px)"); // a quarter of its jump
    kernel.begin();
    kernel.turns = [{ step: 0, now: { tv: null }, labels: null }];
    kernel.frame(0, 20);
    await eventually(output).toBe("automatic (0.3)");
    slide("Total variation", 1);
    expect(kernel.get("tv")).toBe(0);
    await eventually(output).toBe("off");
    slide("Total variation", 18);
    await eventually(() => kernel.get("tv")).toBe(1);
    kernel.update("tv", 0.02);
    await eventually(output).toBe("0.02");
    slide("Total variation", 0);
    expect(kernel.get("tv")).toBeNull();
    slide("Rate", 0);
    expect(kernel.get("lr")).toBe(0.001);
    slide("Jitter", 5);
    expect(kernel.get("jitter")).toBe(4);
  });

  test("that are typed are taken once they are whole", async () => {
    const kernel = mount();
    const size = page.getByRole("spinbutton", { name: "Size" });
    await size.fill("2");
    expect(kernel.get("size")).toBeNull();
    await size.fill("224");
    await userEvent.keyboard("{Enter}");
    expect(kernel.get("size")).toBe(224);
    await size.fill("");
    await userEvent.keyboard("{Enter}");
    expect(kernel.get("size")).toBeNull();
    const steps = page.getByRole("spinbutton", { name: "Steps" });
    await steps.fill("9999");
    await userEvent.keyboard("{Enter}");
    expect(kernel.get("steps")).toBe(2048);
    await expect.element(steps).toHaveValue(2048);
  });
});

describe("keys", () => {
  test("run, pause and step; those of fields are theirs", async () => {
    const kernel = mount();
    root().focus();
    await userEvent.keyboard(" ");
    expect(kernel.asked("run")).toHaveLength(1);
    kernel.begin();
    kernel.frame(0, 8);
    await eventually(() => root().dataset.state).toBe("running");
    await userEvent.keyboard("s ");
    expect(kernel.asked("step")).toHaveLength(0);
    expect(kernel.asked("pause")).toHaveLength(1);
    kernel.update("running", false);
    await eventually(() => root().dataset.state).toBe("paused");
    await userEvent.keyboard("s");
    expect(kernel.asked("step")).toHaveLength(1);
    await page.getByRole("spinbutton", { name: "Seed" }).click();
    await userEvent.keyboard("s p{ArrowUp}");
    expect(kernel.asked("step")).toHaveLength(1);
    expect(kernel.get("playing")).toBe(false);
    expect(root().dataset.step).toBe("8");
    find("[aria-label='Help (?)']").focus();
    await userEvent.keyboard(" "); // a button's own
    await see("Run, pause, resume");
    expect(kernel.asked("resume")).toHaveLength(0);
  });
});

/** Numbers that look random and are the same every time. */
function* dice(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

test("pressing everything at once breaks nothing", async () => {
  const kernel = mount();
  const errors: string[] = [];
  addEventListener("error", ({ message }) => errors.push(message));
  const random = dice(7);
  const roll = (below: number) => Math.floor((random.next().value as number) * below);
  const answer = (name: string) => {
    if (name === "run") kernel.begin([0, 1, 2].slice(roll(3)).map((i) => panel(i, `seed ${i}`)));
    else if (name === "resume" || name === "pause") kernel.update("running", name === "resume");
  };
  let asked = 0;
  for (let turn = 0; turn < 600; turn++) {
    const all = root().querySelectorAll<HTMLElement>("button, summary, input, select, article");
    const one = all[roll(all.length)] as HTMLElement;
    if (one instanceof HTMLInputElement && one.type === "range") {
      one.value = String(roll(40));
      one.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (one instanceof HTMLSelectElement) {
      one.selectedIndex = roll(one.options.length);
      one.dispatchEvent(new Event("change", { bubbles: true }));
    } else if (!one.textContent?.includes("MP4")) one.click();
    const key = ["ArrowLeft", "End", " ", "p", "s", "Escape"][roll(6)] as string;
    root().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    for (const { name } of kernel.requests().slice(asked)) answer(name);
    asked = kernel.requests().length;
    if (kernel.count && kernel.get("running")) {
      const last = kernel.kept.at(-1) ?? -1;
      kernel.frame(last + 1, last + 1 + roll(5));
    }
    if (turn % 20 === 0) await new Promise((done) => setTimeout(done));
  }
  kernel.begin();
  kernel.frame(0, 9);
  await eventually(() => find("article")?.dataset.step).toBe("9");
  expect(errors).toEqual([]);
  expect(root().querySelector("[role=alert]")).toBeNull();
});
