import { describe, expect, test, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { panel } from "./mock_kernel";
import {
  button,
  eventually,
  find,
  HAPPY,
  mount,
  root,
  see,
  slide,
  state,
  step,
  tile,
  ZEBRA,
} from "./mounting";

describe("what is there", () => {
  const ran = (traits: object = {}, options: object = {}) => {
    const kernel = mount(traits, options);
    kernel.begin();
    for (let at = 0; at <= 60; at += 4) kernel.frame(Math.max(0, at - 3), at);
    kernel.finish();
    return kernel;
  };

  test("is gone through with the bar, by keys, and on the curves", async () => {
    const kernel = ran();
    await eventually(state).toBe("ended");
    slide("Step", 20);
    await eventually(() => tile(0).dataset.step).toBe("20");
    await eventually(() => kernel.get("step")).toBe(20);
    root().focus();
    await userEvent.keyboard("{ArrowRight}{ArrowRight}{ArrowRight}");
    await eventually(() => root().dataset.step).toBe("23");
    await see("Picture of step 24, the nearest that is here.");
    await userEvent.keyboard("{Shift>}{ArrowLeft}{/Shift}{Home}");
    await eventually(() => root().dataset.step).toBe("0");
    const curves = page.getByRole("slider", { name: "Step, on the curves" });
    (curves.element() as HTMLElement).focus();
    await userEvent.keyboard("{PageUp}{ArrowUp}");
    await eventually(() => curves.element().getAttribute("aria-valuenow")).toBe("11");
    await curves.click({ position: { x: 360, y: 60 } });
    await eventually(() => Number(root().dataset.step)).toBeGreaterThan(20);
    const { valuetext } = { valuetext: curves.element().getAttribute("aria-valuetext") };
    expect(valuetext).toMatch(/^step \d+: score 0\.\d+, gradient norm 0\.\d+$/);
  });

  test("is played to its end", async () => {
    const kernel = ran();
    await eventually(() => root().dataset.held).toBe("16");
    slide("Step", 50);
    await button("Play what is there (p)").click();
    expect(kernel.get("playing")).toBe(true);
    await eventually(() => root().dataset.step).toBe("60");
    await eventually(() => kernel.get("playing")).toBe(false);
    root().focus();
    await userEvent.keyboard("p");
    await eventually(() => Number(root().dataset.step)).toBeLessThan(40); // from the start again
    await userEvent.keyboard("p");
    expect(kernel.get("playing")).toBe(false);
  });

  test("can be looked at while it climbs; Newest follows it again", async () => {
    const kernel = mount();
    kernel.begin();
    kernel.frame(0, 8);
    kernel.frame(9, 16);
    await eventually(() => tile(0)?.dataset.step).toBe("16");
    slide("Step", 8);
    kernel.frame(17, 24);
    await eventually(() => step().element().getAttribute("max")).toBe("24");
    expect(tile(0).dataset.step).toBe("8");
    await button("Newest").click();
    await eventually(() => tile(0).dataset.step).toBe("24");
    kernel.frame(25, 32);
    await eventually(() => tile(0).dataset.step).toBe("32");
    slide("Step", 8);
    kernel.begin();
    kernel.frame(0, 3);
    await eventually(() => tile(0).dataset.step).toBe("3"); // another is watched from its start
    kernel.frame(4, 25);
    await eventually(() => tile(0).dataset.step).toBe("25");
  });

  test("is asked for where it was missed, once it is quiet", async () => {
    const kernel = mount();
    kernel.begin();
    kernel.kept = [0, 20];
    kernel.frame(40, 48);
    await eventually(() => kernel.asked("curve")).toHaveLength(1); // numbers were missed
    await eventually(() => root().dataset.step).toBe("48");
    await see(/score 0\.6208/);
    expect(kernel.asked("frames")).toEqual([]); // while it climbs
    kernel.kept = Array.from({ length: 65 }, (_, i) => i);
    kernel.finish();
    await eventually(() => root().dataset.held).toBe("65");
    const sizes = kernel.asked("frames").map(({ args }) => args.steps.length);
    expect(sizes).toEqual([32, 32]);
    expect(kernel.asked("frames")[0]?.args).toMatchObject({ generation: 1 });
    slide("Step", 33);
    await eventually(() => tile(0).dataset.step).toBe("33");
  });

  test("has the network’s answer where it was asked; the rest is asked for when it is quiet", async () => {
    const kernel = mount();
    const silent = { predictions: [null], complement: [null] };
    kernel.begin();
    kernel.frame(0, 4);
    for (let at = 5; at <= 24; at++) kernel.frame(at, at, silent);
    await see("network, 20 steps before: cat 53.9 %, then <b>dog</b> 46.1 %");
    expect(kernel.asked("answers")).toEqual([]);
    kernel.finish();
    await see("network: zebra 69.2 %, then <b>dog</b> 30.8 %");
    await eventually(() => kernel.asked("answers").map(({ args }) => args.steps.length)).toEqual([
      8, 8, 4,
    ]);
    slide("Step", 11);
    await see(/^network: cat/);
  });

  test("leaves the kernel alone once it is to climb", async () => {
    const kernel = mount();
    kernel.begin();
    kernel.frame(0, 8, { predictions: [null], complement: [null] });
    kernel.kept = Array.from({ length: 33 }, (_, i) => i);
    kernel.answering = false;
    kernel.finish();
    await eventually(() => kernel.asked("curve")).toHaveLength(1);
    await button("Run").click();
    const { id } = kernel.asked("curve")[0] as { id: string };
    expect(kernel.sent.filter(({ kind }) => kind === "cancel").map((one) => one.id)).toEqual([id]);
  });

  test("needs no kernel", async () => {
    const kernel = ran();
    await eventually(() => root().dataset.held).toBe("16");
    kernel.kernel.connectionStatusChanged.emit("connecting");
    await eventually(state).toBe("disconnected");
    const asked = kernel.requests().length;
    slide("Step", 4);
    await eventually(() => tile(0).dataset.step).toBe("4");
    await expect.element(page.getByRole("slider", { name: "L2" })).toBeDisabled();
    await button("Run").click({ force: true });
    expect(kernel.requests()).toHaveLength(asked);
  });

  test("is what an exported page has, one step after the other", async () => {
    const kernel = mount(
      { _panels: [panel(0, "conv2:5")], _generation: 3, _ended: { notes: [null], first: [null] } },
      { manager: { replay: true } },
    );
    kernel.kept = [0, 10, 20, 30];
    await eventually(() => root().dataset.held).toBe("4");
    expect(state()).toBe("replay");
    const asked = kernel.asked("frames").map(({ args }) => args.steps);
    expect(asked).toEqual([[30], [0], [20], [10]]);
    slide("Step", 10);
    await eventually(() => tile(0).dataset.step).toBe("10");
    await expect.element(button("Reset")).toBeDisabled();
  });

  test("is less where an exported page had no room", async () => {
    const kernel = mount(
      { _panels: [panel(0, "conv2:5")], _generation: 3 },
      { manager: { replay: true } },
    );
    kernel.kept = [0, 10, 20, 30];
    kernel.answering = false;
    const error = "This page was saved without this part.";
    kernel.send = (content) => {
      const { name, id, args } = content;
      if (name === "frames" && args.steps[0] === 20)
        kernel.message({ kind: "reply", id, ok: false, error });
      else if (content.kind === "request") kernel.answer(content);
    };
    await see("2 of its pictures are not in this page.");
    expect(root().dataset.held).toBe("2");
    expect(root().querySelector("[role=alert]")).toBeNull();
  });
});

/** To drag a scrub bar in (CSS pixels). */
const ROOM = 160;

describe("several pictures", () => {
  test("stand beside one another, and one is enlarged", async () => {
    const kernel = mount({ compare: "sad", ...ZEBRA });
    kernel.begin(HAPPY.map((one) => ({ ...one, measure: "probability" as const })));
    kernel.frame(0, 30);
    await eventually(() => document.querySelectorAll("article").length).toBe(2);
    await see("probability of zebra (0 … 1)");
    await page.getByRole("button", { name: /^less of zebra, step 30: .* Enlarge$/ }).click();
    await eventually(() => document.querySelectorAll("article").length).toBe(1);
    expect(tile(1).textContent).toContain("probability of zebra");
    await see("less of zebra, step 30: score 0.2273, gradient norm 0.3727");
    root().focus();
    await userEvent.keyboard("{Escape}");
    await eventually(() => document.querySelectorAll("article").length).toBe(2);
  });

  test.each([480, 560, 610, 860, 1200])("and all else fit into %i px", async (width) => {
    await page.viewport(width + 40, 900);
    const kernel = mount({ compare: "seeds", ...ZEBRA }, { width });
    kernel.begin(Array.from({ length: 16 }, (_, i) => panel(i, `seed ${i}`, "class:zebra")));
    kernel.frame(0, 30);
    await eventually(() => document.querySelectorAll("article").length).toBe(16);
    expect(root().scrollWidth).toBeLessThanOrEqual(width);
    for (const { right } of [...root().querySelectorAll("button, input, select, svg")]
      .filter((element) => element.checkVisibility())
      .map((element) => element.getBoundingClientRect()))
      expect(right).toBeLessThanOrEqual(root().getBoundingClientRect().right);
    const [bar, speed] = ["output", ".cnnw-choice"].map((part) =>
      find(`.cnnw-player ${part}`).getBoundingClientRect(),
    ) as [DOMRect, DOMRect];
    expect(bar.right <= speed.left || bar.bottom <= speed.top).toBe(true);
    expect(find(".cnnw-player input").clientWidth).toBeGreaterThan(ROOM);
  });
});

describe("files", () => {
  test("are made by the kernel and downloaded", async () => {
    const kernel = mount();
    kernel.begin();
    kernel.frame(0, 8);
    kernel.finish();
    await eventually(state).toBe("ended");
    const files: string[] = [];
    const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
      this: HTMLAnchorElement,
    ) {
      files.push(`${this.download} ${this.href.slice(0, 5)}`);
    });
    await page.getByText("Save").click();
    await page.getByRole("button", { name: /^GIF/ }).click();
    await eventually(() => files).toEqual(["a.gif blob:"]);
    expect(kernel.asked("save")[0]?.args).toEqual({ format: "gif" });
    click.mockRestore();
  });

  test("leave the focus where the next press is", async () => {
    const kernel = mount();
    kernel.begin();
    kernel.frame(0, 8);
    await eventually(() => root().dataset.held).toBe("1");
    kernel.answering = false;
    const focused = () => document.activeElement?.textContent;
    const save = async () => {
      await page.getByText("Save").click();
      page.getByRole("button", { name: /^MP4/ }).element().focus();
      await userEvent.keyboard("{Enter}");
      await eventually(focused).toBe("Cancel");
    };
    await save();
    await userEvent.keyboard("{Enter}");
    await eventually(focused).toBe("Save");
    await save();
    root().focus(); // elsewhere meanwhile
    const { id } = kernel.asked("save")[1] as { id: string };
    kernel.message({ kind: "reply", id, ok: false, error: "There is no ffmpeg." });
    await see("There is no ffmpeg.");
    await expect.element(page.getByText("Save")).toBeVisible();
    expect(document.activeElement).toBe(root());
  });

  test("that the kernel cannot make are not offered", async () => {
    const kernel = mount({ _formats: ["gif", "webp", "png"] });
    kernel.begin();
    kernel.frame(0, 8);
    await eventually(() => root().dataset.held).toBe("1");
    await page.getByText("Save").click();
    await expect.element(page.getByRole("button", { name: /^GIF/ })).toBeEnabled();
    const film = page.getByRole("button", { name: /^MP4/ });
    await expect.element(film).toBeDisabled();
    expect(film.element().getAttribute("title")).toBe("The kernel’s machine has no ffmpeg.");
  });

  test("that cannot be made say why", async () => {
    const kernel = mount();
    kernel.begin();
    kernel.frame(0, 8);
    await eventually(() => root().dataset.held).toBe("1");
    kernel.answering = false;
    await page.getByText("Save").click();
    await page.getByRole("button", { name: /^MP4/ }).click();
    const { id } = kernel.asked("save")[0] as { id: string };
    kernel.message({ kind: "progress", id, done: 1, total: 4 });
    await see("25 %");
    kernel.message({ kind: "reply", id, ok: false, error: "There is no ffmpeg." });
    await see("There is no ffmpeg.");
    await expect.element(page.getByText("Save")).toBeVisible();
  });
});
