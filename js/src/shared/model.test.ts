import { setMaxListeners } from "node:events";
import { batch, effect } from "@preact/signals";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Content } from "./fake_model";
import { RequestError } from "./model";
import { abort, failure, last, model, open } from "./opened";

const one = Uint8Array.from("434e4e5703000000db0f4940".match(/../g) as string[], (b) =>
  Number.parseInt(b, 16),
);
const buffer = () => new DataView(one.slice().buffer);

// Two views listen more often than Node expects of one signal.
beforeEach(() => setMaxListeners(20, abort.signal));

describe("traits", () => {
  it("saves a write once, and takes the kernel's without an echo", async () => {
    const channel = open().trait<number>("channel");
    channel.value = 5;
    channel.value = 6;
    await Promise.resolve();
    expect(model.saves).toEqual([{ channel: 6 }]);
    model.update("channel", 9);
    await Promise.resolve();
    expect([channel.value, model.saves.length, model.saveCalls]).toEqual([9, 1, 1]);
  });

  it("saves what is written together in one message", async () => {
    const bridge = open();
    const [layer, channel] = [bridge.trait<string>("layer"), bridge.trait<number>("channel")];
    batch(() => {
      layer.value = "conv2";
      channel.value = 0;
    });
    await Promise.resolve();
    expect(model.saves).toEqual([{ layer: "conv2", channel: 0 }]);
  });

  it("takes an equal list for the same", async () => {
    const unit = open().trait<number[] | null>("unit");
    unit.value = [1, 2];
    await Promise.resolve();
    let runs = 0;
    effect(() => {
      unit.value;
      runs++;
    });
    model.update("unit", [1, 2]);
    expect([runs, model.saves.length]).toEqual([1, 1]);
    model.update("unit", [1, 3]);
    expect([runs, unit.value]).toEqual([2, [1, 3]]);
  });

  it("keeps two views of one model in step", async () => {
    const [a, b] = [open().trait<number>("channel"), open().trait<number>("channel")];
    a.value = 7;
    expect(b.value).toBe(7);
    b.value = 8;
    await Promise.resolve();
    expect([a.value, model.state.channel, model.saves.at(-1)]).toEqual([8, 8, { channel: 8 }]);
  });

  it("never writes what it only reads", () => {
    const bridge = open();
    expect(bridge.read("layer")).toBe(bridge.read("layer"));
    (bridge.read<string>("layer") as { value: string }).value = "nonsense";
    expect(model.state.layer).toBe("conv1");
  });
});

describe("requests", () => {
  it("resolve with the value and the tensors, whatever the order", async () => {
    const bridge = open();
    const [a, b] = [
      bridge.request<number>("map", { channel: 1 }),
      bridge.request<number>("map", { channel: 2 }),
    ];
    expect(bridge.pending.value).toBe(2);
    const [first, second] = model.requests() as [Content, Content];
    expect(first).toMatchObject({ kind: "request", name: "map", args: { channel: 1 } });
    expect(first.id).toBe(`${first.page}:1`);
    expect("lane" in first).toBe(false);
    model.reply(second, 22, [buffer()]);
    model.reply(first, 11);
    expect((await a).value).toBe(11);
    expect((await b).tensors[0]?.data[0]).toBeCloseTo(Math.PI);
    expect(bridge.pending.value).toBe(0);
  });

  it("pass buffers on in the third slot", () => {
    const part = new ArrayBuffer(3);
    void failure(open().request("upload", {}, { buffers: [part] }));
    expect(model.buffers.at(-1)).toEqual([part]);
  });

  it("belong to their page: two views ignore each other's replies", async () => {
    const [a, b] = [open(), open()];
    const [asked, other] = [a.request("map", {}), b.request("map", {})];
    const [x, y] = model.requests() as [Content, Content];
    expect(x.page).not.toBe(y.page);
    model.reply(x, "for a");
    expect((await asked).value).toBe("for a");
    expect([a.pending.value, b.pending.value]).toEqual([0, 1]);
    model.reply(y, "for b");
    expect((await other).value).toBe("for b");
  });

  it("reject with what the kernel says", async () => {
    const asked = failure(open().request("map", {}));
    model.message({ kind: "reply", id: last().id, ok: false, error: "The picture has changed." });
    const error = await asked;
    expect(error).toBeInstanceOf(RequestError);
    expect([error?.message, error?.cancelled]).toEqual(["The picture has changed.", false]);
  });

  it("reject when the answer cannot be read", async () => {
    const asked = failure(open().request("map", {}));
    model.reply(last(), {}, [new DataView(new ArrayBuffer(3))]);
    expect((await asked)?.message).toContain("could not be read");
  });

  it("of one lane: the newest wins, and a late reply changes nothing", async () => {
    const bridge = open();
    const old = failure(bridge.request("map", { channel: 1 }, { lane: "map" }));
    const before = last();
    const other = bridge.request("map", { channel: 9 }, { lane: "another" });
    const now = bridge.request("map", { channel: 2 }, { lane: "map" });
    expect((await old)?.cancelled).toBe(true);
    expect(last().lane).toBe("map");
    const late = last();
    model.reply(before, "old");
    model.message({ kind: "reply", id: before.id, ok: false, cancelled: true });
    model.reply(late, "new");
    model.reply(model.requests()[1] as Content, "apart");
    expect([(await now).value, (await other).value]).toEqual(["new", "apart"]);
    expect(bridge.pending.value).toBe(0);
  });

  it("are cancelled by their signal, and tell the kernel", async () => {
    const bridge = open();
    const stop = new AbortController();
    const asked = failure(bridge.request("map", {}, { signal: stop.signal }));
    const { id } = last();
    stop.abort();
    expect((await asked)?.cancelled).toBe(true);
    expect(model.sent.at(-1)).toMatchObject({ kind: "cancel", id });
    expect((await failure(bridge.request("map", {}, { signal: stop.signal })))?.cancelled).toBe(
      true,
    );
    expect(model.requests()).toHaveLength(1);
  });

  it("let go of their signal once answered", async () => {
    const stop = new AbortController();
    const asked = open().request("map", {}, { signal: stop.signal });
    model.reply(last());
    await asked;
    stop.abort();
    expect(model.kinds()).not.toContain("cancel");
  });

  it("report progress", () => {
    const onProgress = vi.fn();
    void failure(open().request("map", {}, { onProgress }));
    model.message({ kind: "progress", id: last().id, done: 2, total: 5 });
    expect(onProgress).toHaveBeenCalledWith(2, 5);
  });

  it.each([
    null,
    undefined,
    7,
    "reply",
    [],
    {},
    { kind: "reply" },
    { kind: "reply", id: "else:1", ok: true },
    { kind: "frame" },
  ])("ignore the malformed message %j", async (message) => {
    const bridge = open();
    const asked = bridge.request<number>("map", {});
    model.message(message);
    model.message({ kind: "odd", id: last().id });
    expect(bridge.pending.value).toBe(1);
    model.reply(last(), 1);
    expect((await asked).value).toBe(1);
  });
});

describe("frames", () => {
  it("reach their stream and are acknowledged; older ones are dropped", () => {
    const seen: unknown[] = [];
    open().frames("steps", (value, tensors) => seen.push([value, tensors.length]));
    for (const seq of [1, 3, 2])
      model.message({ kind: "frame", stream: "steps", seq, value: seq }, [buffer()]);
    model.message({ kind: "frame", stream: "other", seq: 1, value: 0 });
    expect(seen).toEqual([
      [1, 1],
      [3, 1],
    ]);
    const acks = model.sent.filter(({ kind }) => kind === "ack");
    expect(acks.map(({ stream, seq }) => [stream, seq])).toEqual([
      ["steps", 1],
      ["steps", 3],
      ["steps", 2],
    ]);
    expect(acks[0]?.page).toBe(model.sent[0]?.page);
  });

  it("are acknowledged even when their handler fails, so that the stream goes on", () => {
    open().frames("steps", () => {
      throw new Error("bad frame");
    });
    expect(() => model.message({ kind: "frame", stream: "steps", seq: 1, value: 0 })).toThrow(
      "bad frame",
    );
    expect(model.kinds()).toContain("ack");
  });
});

it("leaves nothing behind", async () => {
  const bridge = open();
  const trait = bridge.trait<number>("channel");
  bridge.read("layer");
  bridge.frames("steps", () => {});
  const asked = failure(bridge.request("map", {}));
  expect(model.listeners).toBeGreaterThan(5);
  abort.abort();
  expect(model.listeners).toBe(0);
  expect((await asked)?.cancelled).toBe(true);
  trait.value = 99;
  await Promise.resolve();
  expect([model.state.channel, model.saves]).toEqual([3, []]);
  expect((await failure(bridge.request("map", {})))?.cancelled).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});
