import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { pack } from "../../shared/packing";
import { mockRun } from "./mock_runs";
import { choose, eventually, find, mount, ready, root, see, slide, tab } from "./mounting";

describe("snapshots", () => {
  const grid = (name: RegExp) => page.getByRole("grid", { name });
  const maps = () => find(".cnnw-tm-maps").dataset;
  const shown = (kernel: ReturnType<typeof mount>) =>
    kernel.asked("maps").map(({ args }) => args.step);

  /** Logged pictures are grey, the darker the earlier. */
  const answerPictures = (kernel: ReturnType<typeof mount>) => {
    const reply = kernel.reply.bind(kernel);
    kernel.reply = (request, value, buffers) =>
      request.name === "maps"
        ? reply(request, { size: [6, 4] }, [
            pack(Array(72).fill(request.args.step / 2), [4, 6, 3], 0),
          ])
        : reply(request, value, buffers);
  };

  test("are fetched ahead, so that scrubbing asks for nothing", async () => {
    const kernel = mount({ step: 130, follow: false });
    await tab("Snapshots");
    await see(/^Snapshot of step 130/);
    await expect.element(grid(/^8 channels of conv1 at step 130/)).toBeVisible();
    await eventually(() => maps().held).toBe("10");
    expect(shown(kernel).slice(0, 2)).toEqual([130, 550]);
    const before = kernel.requests().length;
    for (const step of [10, 250, 550, 70]) {
      kernel.set("step", step);
      await eventually(() => maps().at).toBe(`${step}`);
    }
    expect(kernel.requests()).toHaveLength(before);
  });

  test("are there before they are looked at: the kernel may end", async () => {
    const kernel = mount({ step: 130, follow: false }, { runs: [mockRun("a")] });
    await eventually(() => shown(kernel).length).toBe(10);
    await eventually(() => kernel.asked("predictions").length).toBe(1);
    kernel.kernel.statusChanged.emit("dead");
    await tab("Snapshots");
    await expect.element(grid(/^8 channels of conv1 at step 130/)).toBeVisible();
    await see("Probabilities of picture 0; predicted: cat");
    expect(kernel.asked("pictures")).toHaveLength(1);
  });

  test("have one range of colours over the whole run", async () => {
    const kernel = mount({ step: 130, follow: false });
    await tab("Snapshots");
    await eventually(() => maps().held).toBe("10");
    const { high } = maps();
    for (const step of [10, 250, 550]) {
      kernel.set("step", step);
      await eventually(() => maps().at).toBe(`${step}`);
      expect(maps().high).toBe(high);
    }
  });

  test("of units are numbers, of the last layer with the names of the classes", async () => {
    mount({ step: 130, follow: false, layer: "fc2" });
    await tab("Snapshots");
    await grid(/^3 units of fc2 at step 130/)
      .getByText(/^1: −?0\.\d+$/)
      .click();
    await see(/^unit 1 \(<b>dog<\/b>\): −?0\.\d+$/);
  });

  test("are told by their rings: the one with the focus from the selected one", async () => {
    mount({ step: 130, follow: false });
    await tab("Snapshots");
    await eventually(() => maps().held).toBe("10");
    find<HTMLElement>(".cnnw-tm-maps [data-at='0']").focus();
    await userEvent.keyboard("{ArrowRight}");
    const ring = (at: number) => getComputedStyle(find(`.cnnw-tm-maps [data-at="${at}"] > div`));
    await eventually(() => ring(1).outlineWidth).toBe("3px");
    expect(ring(1).outlineColor).not.toBe(ring(1).boxShadow.split(" 0px")[0]);
    expect(ring(0).outlineStyle).toBe("none");
  });

  test("differ from the pinned step, on a range of the whole run", async () => {
    const kernel = mount({ step: 130, follow: false });
    await tab("Snapshots");
    await expect.element(page.getByRole("checkbox")).toBeDisabled();
    kernel.set("pinned", 132);
    await page.getByRole("checkbox").click();
    await see(/^difference from step 130: activation, this layer over/);
    await choose("Colour range of", "this layer");
    await see(/^difference from step 130: activation, this layer at this step/);
    await eventually(() => maps().high).toBe("0"); // of itself
    await choose("Colour range of", "the whole run");
    await eventually(() => Number(maps().high)).toBeGreaterThan(1.5);
    const { high } = maps();
    kernel.set("step", 550);
    await eventually(() => maps().at).toBe("550");
    expect(maps().high).toBe(high); // the range does not move
  });

  test("filters of colour pictures are in colour, or by input", async () => {
    const kernel = mount({ step: 130, follow: false });
    await tab("Snapshots");
    await choose("Show", "filters");
    await see(/^Red, green and blue weights as colours: mid grey is 0/);
    await choose("Input", "input channel 2");
    await see(/^weight, this layer over/);
    await choose("Colour range of", "each channel");
    await see("weight, filter 0");
    expect(kernel.asked("maps").at(-1)?.args).toMatchObject({ what: "filters", layer: "conv1" });
  });

  test("say when there are more channels than were sent, and are as large as is wished", async () => {
    const kernel = mount({ step: 130, follow: false });
    const reply = kernel.reply.bind(kernel);
    kernel.reply = (request, value, buffers) =>
      reply(
        request,
        request.name === "maps" ? { ...(value as object), channels: 512 } : value,
        buffers,
      );
    await tab("Snapshots");
    await see(/^8 of 512 channels; channel 0: −/);
    await page.getByRole("slider", { name: "Size" }).fill("128");
    await eventually(() => find(".cnnw-tm-maps [data-at]").clientWidth).toBe(128);
    await grid(/^8 of 512 channels/)
      .getByText("3", { exact: true })
      .click();
    await see(/^8 of 512 channels; channel 3: −/);
  });

  test("tell what the chosen picture is taken for", async () => {
    const kernel = mount({ step: 130, follow: false, pinned: 550 });
    await tab("Snapshots");
    await see("Probabilities of picture 0; predicted: cat");
    await see(/\(pinned 88 %\)/);
    await grid(/^4 probe pictures/)
      .getByText("<b>dog</b>")
      .click();
    await see("Probabilities of picture 1; predicted: <b>dog</b>");
    await eventually(() => kernel.asked("maps").at(-1)?.args.picture).toBe(1);
    expect(document.querySelectorAll(".cnnw-tm-plot circle")).toHaveLength(10);
    expect(kernel.asked("pictures")).toHaveLength(1);
  });

  test("of probabilities that are no numbers no class is predicted", async () => {
    const kernel = mount({ step: 550, follow: false });
    const reply = kernel.reply.bind(kernel);
    kernel.reply = (request, value, buffers) => {
      if (request.name !== "predictions") return reply(request, value, buffers);
      const { steps, classes } = value as { steps: number[]; classes: number[] };
      const shape = [steps.length, 4, classes.length];
      const chances = Array(steps.length * 4 * classes.length).fill(Number.NaN);
      const predicted = steps.map(() => Array(4).fill(-1));
      return reply(request, { ...(value as object), predicted }, [pack(chances, shape, 3)]);
    };
    await tab("Snapshots");
    await see("Probabilities of picture 0; predicted: none");
    await expect
      .element(
        grid(/^4 probe pictures/)
          .getByText("none")
          .first(),
      )
      .toBeVisible();
    expect(find(".cnnw-bars output").textContent).toBe("not measured");
    expect(document.querySelectorAll(".cnnw-tm-plot circle")).toHaveLength(0);
    await see("not a number");
  });

  test("that never came are explained in their place, those that did are there", async () => {
    const kernel = mount({ step: 130, follow: false });
    await tab("Snapshots");
    await eventually(() => maps().held).toBe("10");
    kernel.kernel.statusChanged.emit("dead");
    kernel.set("step", 550);
    await eventually(() => maps().at).toBe("550");
    kernel.set("layer", "fc2");
    await eventually(() => find(".cnnw-tm-maps .cnnw-tm-refusal")?.textContent).toBe(
      "Not fetched before.",
    );
    expect(root().textContent?.match(/The kernel was restarted/g)).toHaveLength(1);
  });

  test("of a dense layer have no filters, which the choice says", async () => {
    const kernel = mount({ step: 130, follow: false, layer: "fc2" });
    await tab("Snapshots");
    const option = page.getByRole("option", { name: "fc2 is dense: it has no filters" });
    await expect.element(option).toBeDisabled();
    kernel.set("layer", "conv1");
    await expect.element(page.getByRole("option", { name: "filters" })).toBeEnabled();
    expect(kernel.asked("maps").some(({ args }) => args.what === "filters")).toBe(false);
  });

  test("of event files are the pictures that were logged, by their tags", async () => {
    const { about } = mockRun("a");
    const images = { "<b>grid</b>": [100, 300], one: [5] };
    const snapshots = { steps: [], kind: null };
    const kernel = mount(
      { step: 130, follow: false },
      { runs: [mockRun("a", { about: { ...about, probe: 0, snapshots, images } })] },
    );
    answerPictures(kernel);
    await tab("Snapshots");
    await see("<b>grid</b>: 6 × 4 pixels");
    const canvas = find(".cnnw-tm-logged canvas");
    expect(canvas.clientWidth).toBe(6 * 43);
    slide("Size", 3);
    await eventually(() => canvas.clientWidth).toBe(3 * 6 * 43);
    expect(canvas.clientHeight).toBe(3 * 4 * 43);
    await see(/^Logged picture of step 100 nearest to 130/);
    const shade = () =>
      find<HTMLCanvasElement>(".cnnw-tm-logged canvas").getContext("2d")?.getImageData(0, 0, 1, 1)
        .data[0];
    expect(shade()).toBe(50);
    kernel.set("step", 290);
    await eventually(shade).toBe(150);
    find<HTMLElement>(".cnnw-tm-timeline input").focus();
    kernel.set("step", 4);
    await userEvent.keyboard("{ArrowRight}");
    await eventually(() => kernel.get("step")).toBe(5); // a picture of another tag
    await choose("Tag", "one");
    await see("one: 6 × 4 pixels");
    expect(kernel.asked("maps").at(-1)?.args).toMatchObject({
      what: "images",
      layer: "one",
      step: 5,
    });
    await see(/it holds curves, histograms of 5 layers and the pictures that were logged\.$/);
  });

  test("that were logged are all that an event file may have", async () => {
    const { about } = mockRun("a");
    const images = { grid: [100, 300], one: [5] };
    const none = { keys: [], layers: [], snapshots: { steps: [], kind: null }, probe: 0 };
    const given = { about: { ...about, ...none, images }, curves: [], rows: [] };
    answerPictures(mount({ layer: "" }, { runs: [mockRun("a", given)] }));
    await ready();
    await see(/^Logged picture of step 300$/);
    await see("This run has no snapshots of the network; it holds the pictures that were logged.");
    expect(find("[data-run]").textContent).toMatch(/step 300$/);
    await tab("Curves");
    await see("No curves were logged.");
  });

  test("without probe pictures are filters alone, without any say how to get them", async () => {
    const { about } = mockRun("a");
    const kernel = mount({}, { runs: [mockRun("a", { about: { ...about, probe: 0 } })] });
    await tab("Snapshots");
    await see(/^Without probe pictures there are filters alone/);
    await eventually(() => kernel.asked("maps")[0]?.args.what).toBe("filters");
    expect(kernel.asked("predictions")).toHaveLength(0);
    kernel.tell("a", { snapshots: { steps: [], kind: null } });
    await see(
      "This run has no snapshots of the network; it holds curves and histograms of 5 layers.",
    );
    expect(root().textContent).not.toContain("Recorder(");
    kernel.tell("a", { live: true });
    await see(/^No snapshots yet: Recorder\(model, snapshots=64\)/);
  });
});
