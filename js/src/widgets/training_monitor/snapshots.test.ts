import { describe, expect, test } from "vitest";
import type { Content } from "../../shared/fake_model";
import { GONE } from "../../shared/model";
import { model, open } from "../../shared/opened";
import { pack } from "../../shared/packing";
import { type Tensor, unpack } from "../../shared/wire";
import { HeldMaps, type Wanted } from "./held_maps";
import { KeptReplies } from "./kept_replies";
import { differenceLimit, endsOf, limitOf, minus, paintColor, partOf, scaleOf } from "./maps";

const wanted: Wanted = { run: "a", layer: "conv1", what: "maps", picture: 0 };
const STEPS = [0, 10, 20, 30];
const maps = (value = 1) => pack([value, -value], [1, 1, 2], 1);
const settled = async () => {
  for (let i = 0; i < 5; i++) await Promise.resolve();
};
const asked = () => model.requests().map(({ args }) => args.step);
const waiting = () => {
  const cancelled = model.sent.filter(({ kind }) => kind === "cancel").map(({ id }) => id);
  return model.requests().filter(({ id }) => !cancelled.includes(id) && !answered.has(id));
};
const answered = new Set<string>();
async function answer(request: Content | undefined, buffers = [maps()]) {
  answered.add(request?.id);
  model.reply(request as Content, {}, buffers);
  await settled();
}
async function refuse(request: Content | undefined, error: string) {
  answered.add(request?.id);
  model.message({ kind: "reply", id: request?.id, ok: false, error });
  await settled();
}

describe("maps of snapshots", () => {
  test("what is looked at comes first, then the newest, two at a time, each once", async () => {
    const held = new HeldMaps(open());
    held.fetch(wanted, STEPS, [10]);
    expect(asked()).toEqual([10, 30]);
    held.fetch(wanted, STEPS, [10]);
    expect(asked()).toHaveLength(2);
    await answer(waiting()[0]);
    expect(asked()).toEqual([10, 30, 20]);
    held.fetch(wanted, STEPS, [0]); // scrubbed on
    await answer(waiting()[0]);
    while (waiting().length) await answer(waiting()[0]);
    expect(asked()).toEqual([10, 30, 20, 0]);
    for (const step of STEPS) {
      held.fetch(wanted, STEPS, [step]);
      expect(held.get(wanted, step)?.tensor.shape).toEqual([1, 1, 2]);
    }
    expect(asked()).toHaveLength(4); // scrubbing asks for nothing
  });

  test("another layer cancels what was asked of the last one, and what came stays", async () => {
    const held = new HeldMaps(open());
    held.fetch(wanted, STEPS, [30]);
    await answer(waiting()[0]);
    const other = { ...wanted, layer: "conv2" };
    held.fetch(other, STEPS, [30]);
    expect(model.sent.filter(({ kind }) => kind === "cancel")).toHaveLength(2);
    expect(waiting().map(({ args }) => args.layer)).toEqual(["conv2", "conv2"]);
    held.fetch(wanted, STEPS, [30]);
    expect(held.get(wanted, 30)).toBeDefined();
    expect(waiting().map(({ args }) => [args.layer, args.step])).toEqual([
      ["conv1", 20],
      ["conv1", 10],
    ]);
  });

  test("filters are the same for every picture", async () => {
    const held = new HeldMaps(open());
    held.fetch({ ...wanted, what: "filters", picture: 2 }, [5], [5]);
    expect(waiting()[0]?.args).toEqual({ ...wanted, what: "filters", step: 5 });
    await answer(waiting()[0]);
    expect(held.get({ ...wanted, what: "filters", picture: 3 }, 5)).toBeDefined();
    expect(held.get({ ...wanted, picture: 3 }, 5)).toBeUndefined();
  });

  test("what is refused says so, nothing is fetched ahead, and it is asked again when somebody answers", async () => {
    const held = new HeldMaps(open());
    held.fetch(wanted, STEPS, [30]);
    await refuse(waiting()[0], "conv1 has no maps.");
    await refuse(waiting()[0], "conv1 has no maps.");
    expect(held.refusal(wanted, 30)).toBe("conv1 has no maps.");
    expect(held.refusal({ ...wanted, layer: "conv2" }, 30)).toBeUndefined();
    expect(asked()).toEqual([30, 20]);
    held.fetch(wanted, STEPS, [30]);
    expect(asked()).toHaveLength(2);
    held.fetch(wanted, STEPS, [0]);
    expect(asked()).toEqual([30, 20, 0]); // what is looked at is always tried once
    model.kernel.connectionStatusChanged.emit("connecting");
    model.kernel.connectionStatusChanged.emit("connected");
    expect(held.refusal(wanted, 30)).toBeUndefined();
    expect(asked().slice(3)).toContain(0);
  });

  test("without a kernel what came is there, what did not says why", async () => {
    const held = new HeldMaps(open());
    held.fetch(wanted, STEPS, [30]);
    await answer(waiting()[0]);
    model.kernel.statusChanged.emit("restarting");
    await settled();
    held.fetch(wanted, STEPS, [0]);
    await settled();
    expect(held.get(wanted, 30)).toBeDefined();
    expect(held.refusal(wanted, 0)).toBe(GONE);
  });

  test("no more is fetched ahead than there is room for; what was forgotten comes again when it is looked at", async () => {
    const held = new HeldMaps(open(), 25); // one has 10 bytes
    held.fetch(wanted, STEPS, [30]);
    while (waiting().length) await answer(waiting()[0]);
    expect(asked()).toEqual([30, 20]);
    held.fetch(wanted, STEPS, [0]);
    await answer(waiting()[0]);
    expect(asked()).toEqual([30, 20, 0]);
    const forgotten = [30, 20, 0].filter((step) => !held.get(wanted, step));
    expect(forgotten).toHaveLength(1);
    held.fetch(wanted, STEPS, forgotten);
    expect(asked().slice(3)).toEqual(forgotten);
  });
});

describe("answers that stay", () => {
  test("are asked for once, and again when the run has more", async () => {
    const kept = new KeptReplies(open());
    expect(kept.get("predictions", "a", 1)).toEqual({});
    kept.get("predictions", "a", 1);
    expect(model.requests()).toHaveLength(1);
    await answer(waiting()[0]);
    expect(kept.get("predictions", "a", 1).reply?.tensors).toHaveLength(1);
    expect(kept.get("predictions", "a", 2).reply?.tensors).toHaveLength(1); // the old one meanwhile
    expect(model.requests()).toHaveLength(2);
  });

  test("that are refused say why and are asked for again", async () => {
    const kept = new KeptReplies(open());
    kept.get("pictures", "a", 0);
    await refuse(waiting()[0], "There are none.");
    expect(kept.get("pictures", "a", 0).refusal).toBe("There are none.");
    expect(model.requests()).toHaveLength(2);
  });
});

describe("numbers of maps", () => {
  const read = (values: number[], shape: number[], encoding: 1 | 3 = 1): Tensor =>
    unpack(pack(values, shape, encoding));

  test("ranges are of each map, of the finite values", () => {
    for (const encoding of [1, 3] as const) {
      const t = read([1, -4, 2, Number.POSITIVE_INFINITY, 0, 0], [3, 1, 2], encoding);
      expect([...endsOf(t).limits]).toEqual([4, 2, 0]);
      expect(endsOf(t).odd).toEqual([Number.POSITIVE_INFINITY]);
      expect([limitOf(t), limitOf(t, 1, 2)]).toEqual([4, 2]);
    }
    expect(endsOf(read([1, 2], [1, 1, 2])).odd).toEqual([]);
    const none = [Number.NaN, Number.NEGATIVE_INFINITY, Number.NaN, 0];
    for (const encoding of [1, 3] as const)
      expect(new Set(endsOf(read(none, [1, 2, 2], encoding)).odd)).toEqual(
        new Set([Number.NaN, Number.NEGATIVE_INFINITY]),
      );
  });

  test("differences are exact to the steps of the codes", () => {
    const [one, other] = [read([1, -4, 2, 8], [2, 1, 2]), read([0, 1, 2, 2], [2, 1, 2])];
    expect([...minus(one, other).data]).toEqual([1, -5, 0, 6]);
    expect(differenceLimit(one, other)).toBe(6);
    expect(differenceLimit(one, one)).toBe(0);
  });

  test("filters are drawn from one input or from three", () => {
    const t = read(Array(2 * 3 * 4).fill(0), [2, 3, 2, 2]);
    expect([partOf(t, 1, 2), partOf(t, 1, "rgb"), partOf(t, 1, 9)]).toEqual([
      [5, 1],
      [3, 3],
      [5, 1],
    ]);
    expect(partOf(read([1, 2], [2, 1, 1]), 1, "rgb")).toEqual([1, 1]);
  });

  test("filters in colour have grey at zero", () => {
    const t = read([0, 2, 0, -2, 0, 0], [1, 3, 1, 2]);
    const pixels = new Uint32Array(2);
    paintColor(t, 0, 2, { data: { buffer: pixels.buffer } } as never);
    expect([...pixels].map((x) => (x >>> 0).toString(16))).toEqual(["ff808080", "ff8000ff"]);
  });

  test("weights and activations have colours of their own, centred on zero", () => {
    expect(scaleOf("filters", 2)).toEqual({ low: -2, high: 2, table: "weights" });
    expect(scaleOf("gradients", 2)).toEqual({ low: -2, high: 2, table: "activations" });
  });
});
