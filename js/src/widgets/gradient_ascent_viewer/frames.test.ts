import { setMaxListeners } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { connect } from "../../shared/model";
import { Frames } from "./frames";
import { MockKernel, panel } from "./mock_kernel";

/** Bytes of the picture of a step. */
const EACH = 3 * 8 * 8;

let abort = new AbortController();
beforeEach(() => {
  vi.stubGlobal("addEventListener", () => {});
  abort = new AbortController();
  setMaxListeners(0, abort.signal); // one a trait
});
afterEach(() => {
  abort.abort();
  vi.unstubAllGlobals();
});

function opened(kernel: MockKernel, budget?: number): Frames {
  const bridge = connect(kernel.model, abort.signal);
  const told = {
    generation: bridge.read<number>("_generation"),
    panels: bridge.read<never[]>("_panels"),
    classes: bridge.read<string[]>("_classes"),
    running: bridge.read<boolean>("running"),
    ended: bridge.read<null>("_ended"),
  };
  return new Frames(bridge, told, budget);
}

/** A kernel that has ended after so many steps. */
function ended(steps: number, traits: object = {}): MockKernel {
  const kernel = new MockKernel({ _panels: [panel(0, "a")], _generation: 5, ...traits });
  kernel.kept = Array.from({ length: steps + 1 }, (_, step) => step);
  return kernel;
}

const held = (frames: Frames) => frames.film.value?.stills.map(({ step }) => step) ?? [];

test("of what was made before, all is fetched", async () => {
  const frames = opened(ended(40));
  await vi.waitFor(() => expect(held(frames)).toHaveLength(41));
  expect(frames.film.value?.score(40, 0)).toBeCloseTo(1 - 0.98 ** 40);
});

test("is fetched as far as there is room, the last and then by halves", async () => {
  const kernel = ended(255);
  const frames = opened(kernel, 40 * EACH);
  await vi.waitFor(() => expect(kernel.asked("frames")).toHaveLength(2));
  await new Promise((done) => setTimeout(done, 20));
  expect(kernel.asked("frames")).toHaveLength(2);
  const steps = held(frames);
  expect(steps).toHaveLength(33);
  expect([steps[0], steps.at(-1)]).toEqual([0, 255]);
  const gaps = steps.slice(1).map((step, i) => step - (steps[i] as number));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(8);
  expect(frames.film.value?.bytes).toBeLessThanOrEqual(40 * EACH);
});

test("what the network says is asked for of some steps only", async () => {
  const kernel = new MockKernel();
  const frames = opened(kernel);
  kernel.begin();
  const silent = { predictions: [null], complement: [null] };
  for (let at = 0; at < 100; at++) kernel.frame(at, at, silent);
  kernel.finish();
  await vi.waitFor(() => expect(kernel.asked("answers")).toHaveLength(8));
  await new Promise((done) => setTimeout(done, 20));
  expect(kernel.asked("answers").flatMap(({ args }) => args.steps)).toHaveLength(64);
  expect(frames.film.value?.saidOf(99, 0)).toMatchObject({ step: 99, answer: { name: "zebra" } });
});

test("nothing is asked of a network without classes, nor while it climbs", async () => {
  const kernel = new MockKernel({ _classes: [] });
  const frames = opened(kernel);
  kernel.begin();
  kernel.frame(0, 8, { predictions: [null], complement: [null] });
  await new Promise((done) => setTimeout(done, 20));
  expect(kernel.requests()).toEqual([]);
  kernel.finish();
  await vi.waitFor(() => expect(kernel.asked("curve")).toHaveLength(1));
  await new Promise((done) => setTimeout(done, 20));
  expect(kernel.asked("answers")).toEqual([]);
  expect(held(frames)).toEqual([8]);
});

test("a refusal is told, unless another ascent has begun", async () => {
  const kernel = ended(8);
  kernel.answering = false;
  const frames = opened(kernel);
  await vi.waitFor(() => expect(kernel.asked("curve")).toHaveLength(1));
  const { id } = kernel.asked("curve")[0] as { id: string };
  kernel.message({ kind: "reply", id, ok: false, error: "no room" });
  await vi.waitFor(() => expect(frames.failed.value).toBe("no room"));
  kernel.begin();
  kernel.frame(0, 1);
  expect(frames.failed.value).toBeUndefined();
});

test("is forgotten with its panels", async () => {
  const kernel = ended(8);
  const frames = opened(kernel);
  await vi.waitFor(() => expect(held(frames)).toHaveLength(9));
  kernel.update("_panels", []);
  expect(frames.film.value).toBeUndefined();
});
