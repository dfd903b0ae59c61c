import { setMaxListeners } from "node:events";
import type { AnyModel } from "@anywidget/types";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connect } from "../../shared/model";
import { MockKernel, tensorsOf } from "./mock_kernel";
import { fieldsAt, type MockRun, mockRun } from "./mock_runs";
import { createState } from "./state";
import { BINS, type News } from "./types";

let abort: AbortController;
beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("addEventListener", () => {}); // Node has no window
  abort = new AbortController();
  setMaxListeners(0, abort.signal);
});
afterEach(() => {
  abort.abort();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const points = (from: number, to: number): [number, number, number][] =>
  Array.from({ length: to - from }, (_, i) => [from + i, 10 * (from + i), (from + i) / 100]);

const small = (changes: Partial<MockRun> = {}) =>
  mockRun("a", { curves: [{ name: "loss", points: points(0, 5) }], rows: [0, 2], ...changes });

async function open(runs: MockRun[]) {
  const kernel = new MockKernel(runs);
  const state = createState(connect(kernel as unknown as AnyModel, abort.signal));
  await settle();
  return { kernel, state, held: () => state.store.of("a") };
}
const settle = () => vi.advanceTimersByTimeAsync(1);
const asked = (kernel: MockKernel) => kernel.asked("history").length;
const steps = (values: ArrayLike<number> | undefined) => Array.from(values ?? []);

describe("what is held of a run", () => {
  it("is its history: curves, rows, and each column of the table", async () => {
    const run = small();
    const { state, held } = await open([run]);
    expect(steps(held()?.curves[0]?.steps)).toEqual([0, 1, 2, 3, 4]);
    expect(steps(held()?.curves[0]?.values)).toEqual([0, 10, 20, 30, 40]);
    expect(held()?.curves[0]?.seconds[4]).toBeCloseTo(0.04);
    const series = state.series("a", "conv2", "gradients");
    expect(steps(series?.steps)).toEqual([0, 2]);
    const key = run.about.keys.findIndex(([l, q]) => l === "conv2" && q === "gradients");
    expect(series?.fields.norm[1]).toBe(Math.fround(fieldsAt(run, 1, key)[0] as number));
    expect(series?.fields.dead[1]).toBeNaN();
    expect(series?.codes.length).toBe(2 * BINS);
    expect(Math.max(...(series?.codes.subarray(BINS) ?? []))).toBeGreaterThan(25);
    expect(state.series("a", "conv2", "biases")).toBeUndefined();
    expect(state.series("?", "conv2", "weights")).toBeUndefined();
  });

  it("grows with the news, whose first points replace the last ones", async () => {
    const run = small();
    const { kernel, state, held } = await open([run]);
    const before = state.series("a", "conv1", "weights");
    run.curves[0]?.points.splice(4, 1, [4, -1, 0.04]);
    kernel.train(run, [{ name: "loss", points: points(5, 300) }], [4, 6], { again: 1 });
    expect(steps(held()?.curves[0]?.values).slice(3, 6)).toEqual([30, -1, 50]);
    expect(held()?.curves[0]?.steps.length).toBe(300);
    expect(held()?.progress.last_step).toBe(299);
    expect(steps(state.series("a", "conv1", "weights")?.steps)).toEqual([0, 2, 4, 6]);
    expect(state.series("a", "conv1", "weights")).not.toBe(before);
    expect(state.series("a", "conv1", "weights")).toBe(state.series("a", "conv1", "weights"));
    expect(asked(kernel)).toBe(1);
  });

  it("is asked for again when a frame was lost", async () => {
    const run = small();
    const { kernel, held } = await open([run]);
    kernel.train(run, [{ name: "loss", points: points(5, 6) }], [], { lost: true });
    kernel.train(run, [{ name: "loss", points: points(6, 7) }], [4]);
    expect(held()?.curves[0]?.steps.length).toBe(5);
    await settle();
    expect(asked(kernel)).toBe(2);
    expect(steps(held()?.curves[0]?.steps)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(steps(held()?.steps)).toEqual([0, 2, 4]);
  });

  it("is asked for again also when what was lost only changed the last point", async () => {
    const run = small();
    const { kernel, held } = await open([run]);
    run.curves[0]?.points.splice(4, 1, [4, -1, 0.04]);
    kernel.train(run, [], [], { lost: true });
    kernel.train(run, [{ name: "loss", points: points(5, 6) }]);
    await settle();
    expect(steps(held()?.curves[0]?.values)).toEqual([0, 10, 20, 30, -1, 50]);
  });

  it("takes up news that came while its history was on the way", async () => {
    const run = small({ seq: 7 });
    const kernel = new MockKernel([run]);
    const reply = kernel.reply.bind(kernel);
    let late = () => {};
    kernel.reply = (...given) => {
      late = () => reply(...given);
    };
    const state = createState(connect(kernel as unknown as AnyModel, abort.signal));
    await settle();
    kernel.train(run, [{ name: "loss", points: points(5, 6) }]);
    kernel.train(run, [{ name: "loss", points: points(6, 7) }]);
    expect(state.store.of("a")).toBeUndefined();
    late();
    await settle();
    expect(steps(state.store.of("a")?.curves[0]?.steps)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(asked(kernel)).toBe(1);
  });

  it("is forgotten at a reset, which needs no history", async () => {
    const run = small();
    run.curves.push({ name: "old", points: points(0, 3) });
    const { kernel, state, held } = await open([run]);
    const halved = small({ curves: [{ name: "loss", points: points(0, 2) }], rows: [2] });
    const value: News = {
      ...{ run: "a", seq: 40, reset: true, last_step: 9, speed: null, elapsed: 1 },
      ...{ curves: [{ name: "loss", from: 0, points: 2 }], rows_from: 0, rows: 1 },
    };
    kernel.frame(value, tensorsOf(halved, [], 0));
    expect(held()?.curves.map(({ name }) => name)).toEqual(["loss"]);
    expect(steps(held()?.curves[0]?.steps)).toEqual([0, 1]);
    expect(steps(state.series("a", "fc1", "weights")?.steps)).toEqual([2]);
    expect(asked(kernel)).toBe(1);
  });

  it("stays as it is at news that it has already", async () => {
    const run = small();
    const { kernel, held } = await open([run]);
    kernel.train(run, [{ name: "loss", points: points(5, 6) }]);
    run.seq = 0;
    kernel.train(run, [{ name: "loss", points: points(6, 7) }]);
    expect(held()?.curves[0]?.steps.length).toBe(6);
    expect(asked(kernel)).toBe(1);
  });

  it("is asked for once more when somebody answers again, of runs that go on", async () => {
    const [a, b] = [small(), mockRun("b")];
    a.about.live = true;
    const { kernel } = await open([a, b]);
    kernel.kernel.connectionStatusChanged.emit("disconnected");
    kernel.kernel.connectionStatusChanged.emit("connected");
    await settle();
    const each = new Map(kernel.asked("history").map(({ id, args }) => [id, args.run]));
    expect([...each.values()]).toEqual(["a", "b", "a"]);
  });

  it("is asked for when a run is added, and let go of when one is taken away", async () => {
    const { kernel, state } = await open([small()]);
    const b = mockRun("b");
    kernel.recorded.push(b);
    kernel.update("_runs", [...kernel.get("_runs"), b.about]);
    await settle();
    expect(state.store.of("b")?.curves.length).toBe(8);
    kernel.update("_runs", [b.about]);
    expect(state.store.of("a")).toBeUndefined();
    expect(state.run.value?.id).toBe("b");
  });

  it("says why it is not there", async () => {
    const kernel = new MockKernel([small()]);
    kernel.reply = (request) =>
      kernel.message({ kind: "reply", id: request.id, ok: false, error: "The file is gone." });
    const state = createState(connect(kernel as unknown as AnyModel, abort.signal));
    await settle();
    expect(state.store.failed.value).toBe("The file is gone.");
  });
});

describe("the chosen step", () => {
  it("is the newest recorded one as long as it is followed", async () => {
    const run = small();
    const { kernel, state } = await open([run]);
    run.about.snapshots.steps.length = 0;
    expect(state.step.value).toBe(4); // of the curves, which go on between recorded layers
    kernel.train(run, [], [8]);
    expect(state.step.value).toBe(8);
    state.go(0);
    kernel.train(run, [], [9]);
    expect(state.step.value).toBe(0);
    expect([kernel.get("follow"), kernel.get("step")]).toEqual([false, 0]);
  });

  it("can be every recorded step and snapshot", async () => {
    const run = small();
    run.about.snapshots = { steps: [1, 2, 7], kind: "weights" };
    const { state } = await open([run]);
    expect(state.stops.value).toEqual([0, 1, 2, 7]);
    expect([0, 1.4, 6, 99].map((step) => state.rowAt("a", step))).toEqual([0, 1, 1, 1]);
  });

  it("is whatever is nearest, while keys lead from one recorded step to the next", async () => {
    const run = small({ rows: [1, 4, 9] });
    run.about.snapshots.steps.length = 0;
    const { state } = await open([run]);
    expect(state.span.value).toEqual([0, 9]);
    const at = (move: () => void) => {
      move();
      return state.step.value;
    };
    expect([2.6, 6, 7, 99].map((x) => at(() => state.goTo(x)))).toEqual([3, 4, 9, 9]);
    state.go(3);
    expect([1, 1, 1, -10, -1].map((by) => at(() => state.leap(by)))).toEqual([4, 9, 9, 1, 1]);
    expect([2, 2.5, 5, 11].map(state.stepAfter)).toEqual([2, 3, 9, 9]);
  });

  it("is not led back by going on from behind the last recorded step", async () => {
    const { state } = await open([small()]);
    state.leap(1);
    expect(state.step.value).toBe(4);
    state.leap(-1);
    expect(state.step.value).toBe(2);
  });

  it("is a point of the curves where nothing else was recorded", async () => {
    const run = small({ rows: [] });
    run.about.snapshots.steps.length = 0;
    const { state } = await open([run]);
    expect(state.stops.value).toEqual([0, 1, 2, 3, 4]);
    expect(state.rowAt("a", 3)).toBe(-1);
  });

  it("goes to where a finding is: run, step, layer", async () => {
    const { state } = await open([small(), mockRun("b", { bad: true })]);
    const [, bad] = state.runs.value;
    if (bad?.findings[0]) state.visit(bad, bad.findings[0]);
    expect([state.run.value?.id, state.step.value, state.layer.value]).toEqual(["b", 60, "conv2"]);
  });
});
