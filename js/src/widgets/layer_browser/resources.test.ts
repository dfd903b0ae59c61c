import { signal } from "@preact/signals";
import { describe, expect, test } from "vitest";
import { type Bridge, type Reply, RequestError, type RequestOptions } from "../../shared/model";
import { CHUNK, complaint, MapLoader, Resources, type Source } from "./resources";

const A: Source = { slot: "a", key: 1, layer: "conv", of: "activations" };
const tick = () => new Promise((done) => setTimeout(done));

interface Asked {
  name: string;
  args: { key: number; first: number; last: number };
  answer: (bytes?: number) => void;
  fail: (message: string) => void;
}

function setup() {
  const asked: Asked[] = [];
  const cancelled: number[] = [];
  const request = (name: string, args: object, options: RequestOptions = {}) =>
    new Promise<Reply<unknown>>((resolve, reject) => {
      const { first } = args as Asked["args"];
      options.signal?.addEventListener("abort", () => {
        cancelled.push(first);
        reject(new RequestError("cancelled", true));
      });
      asked.push({
        name,
        args: args as Asked["args"],
        answer: (bytes = 8) =>
          resolve({
            value: {},
            tensors: [{ shape: [bytes], encoding: "float", data: new Uint8Array(bytes) }],
          }),
        fail: (message) => reject(new RequestError(message)),
      });
    });
  const unasked = signal<unknown[] | undefined>(undefined);
  const closed = new AbortController();
  const bridge = { request, read: () => unasked, signal: closed.signal } as unknown as Bridge;
  return { asked, cancelled, unasked, closed, bridge, resources: new Resources(bridge) };
}

describe("Resources", () => {
  test("ask once, then answer themselves", async () => {
    const { asked, resources } = setup();
    const first = resources.fetch("layer", A);
    asked[0]?.answer();
    const reply = await first;
    expect(await resources.fetch("layer", A)).toBe(reply);
    expect(asked).toHaveLength(1);
    void resources.fetch("layer", { ...A, key: 2 });
    expect(asked).toHaveLength(2);
  });

  test("know what the kernel sent unasked, in any order of the arguments", async () => {
    const { asked, unasked, closed, resources } = setup();
    const one = new DataView(
      Uint8Array.from([0x43, 0x4e, 0x4e, 0x57, 3, 0, 0, 0, 0xdb, 0x0f, 0x49, 0x40]).buffer,
    );
    const sent = (key: number) => ({
      name: "maps",
      args: { first: 0, last: 64, of: "activations", layer: "conv", key, slot: "a" },
      value: { reduced: 2 },
      tensors: [one],
    });
    unasked.value = [sent(1)];
    const reply = await resources.fetch("maps", { ...A, first: 0, last: 64 });
    expect(reply.value).toEqual({ reduced: 2 });
    expect(reply.tensors[0]?.data[0]).toBeCloseTo(Math.PI);
    expect(asked).toHaveLength(0);
    void resources.fetch("maps", { ...A, key: 2, first: 0, last: 64 });
    expect(asked).toHaveLength(1);
    closed.abort();
    unasked.value = [sent(3)];
    void resources.fetch("maps", { ...A, key: 3, first: 0, last: 64 });
    expect(asked).toHaveLength(2);
  });

  test("ask again after a failure", async () => {
    const { asked, resources } = setup();
    const first = resources.fetch("layer", A);
    asked[0]?.fail("no");
    await expect(first).rejects.toThrow("no");
    void resources.fetch("layer", A);
    expect(asked).toHaveLength(2);
  });

  test("share one request, and cancel it when nobody waits", async () => {
    const { asked, cancelled, resources } = setup();
    const [one, other] = [new AbortController(), new AbortController()];
    const replies = [one, other].map((asker) => resources.fetch("maps", { ...A, first: 7 }, asker));
    const failed = replies.map((reply) => expect(reply).rejects.toThrow("cancelled"));
    expect(asked).toHaveLength(1);
    one.abort();
    expect(cancelled).toEqual([]);
    other.abort();
    expect(cancelled).toEqual([7]);
    await Promise.all(failed);
    void resources.fetch("maps", { ...A, first: 7 });
    expect(asked).toHaveLength(2);
  });

  test("know the weights apart where no picture's key says so", () => {
    let version = 1;
    const { bridge } = setup();
    const resources = new Resources(bridge, () => version);
    const before = [resources.id("filters", {}), resources.id("maps", A)];
    version = 2;
    expect(resources.id("filters", {})).not.toBe(before[0]);
    expect(resources.id("maps", A)).toBe(before[1]);
  });
});

test.each([
  [new RequestError("gone", true), undefined],
  [new RequestError("the picture has changed"), undefined],
  [new RequestError("out of memory"), "out of memory"],
])("complaint %#", (error, sentence) => {
  expect(complaint(error)).toBe(sentence);
});

describe("MapLoader", () => {
  test("asks for aligned packets of every picture, once", async () => {
    const { asked, resources } = setup();
    const loader = new MapLoader(resources, "maps", [A, { ...A, slot: "b", key: 2 }], 150);
    loader.want([0, 1, 63, 130]);
    loader.want([2, 140]);
    expect(asked.map(({ args }) => [args.key, args.first, args.last])).toEqual([
      [1, 0, CHUNK],
      [2, 0, CHUNK],
      [1, 128, 150],
      [2, 128, 150],
    ]);
    expect(loader.find(A, 5)).toBeUndefined();
    asked[0]?.answer();
    await tick();
    expect(loader.find(A, 5)?.at).toBe(5);
    expect(loader.loaded.value).toBe(1);
    loader.want([0]);
    expect(asked).toHaveLength(4);
  });

  test("cancels what is no longer looked at, and asks again on return", async () => {
    const { asked, cancelled, resources } = setup();
    const loader = new MapLoader(resources, "maps", [A], 1000);
    loader.want([0, 70]);
    loader.want([70]);
    expect(cancelled).toEqual([0]);
    loader.want([0, 70]);
    expect(asked.map(({ args }) => args.first)).toEqual([0, 64, 0]);
    await tick();
    expect(loader.failed.value).toBeUndefined();
    loader.stop();
    expect(cancelled).toEqual([0, 64, 0]);
  });

  test("tells of a packet that came for somebody else", async () => {
    const { asked, resources } = setup();
    const loader = new MapLoader(resources, "maps", [A], 10);
    expect(loader.find(A, 0)).toBeUndefined(); // drawn without it
    const elsewhere = resources.fetch("maps", { ...A, first: 0, last: 10 });
    asked[0]?.answer();
    await elsewhere;
    loader.want([0]);
    expect(loader.loaded.value).toBe(1);
    loader.want([1]);
    expect(loader.loaded.value).toBe(1);
    expect(asked).toHaveLength(1);
  });

  test("does not have drawn again what was there when it was drawn", async () => {
    const { asked, resources } = setup();
    const before = resources.fetch("maps", { ...A, first: 0, last: 10 });
    asked[0]?.answer();
    await before;
    const loader = new MapLoader(resources, "maps", [A], 10);
    expect(loader.find(A, 0)).toBeDefined();
    loader.want([0]);
    expect(loader.loaded.value).toBe(0);
  });

  test("says why a packet is missing", async () => {
    const { asked, resources } = setup();
    const loader = new MapLoader(resources, "maps", [A], 10);
    loader.want([0]);
    asked[0]?.fail("This page was recorded without it.");
    await tick();
    expect(loader.failed.value).toBe("This page was recorded without it.");
    loader.want([0]);
    asked[1]?.answer();
    await tick();
    expect(loader.failed.value).toBeUndefined();
  });
});
