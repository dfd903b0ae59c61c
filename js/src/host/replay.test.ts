import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { AnyModel } from "@anywidget/types";
import { describe, expect, it, vi } from "vitest";
import { connect } from "../shared/model";
import { ReplayModel, restore, type SavedPage, type SavedReply, signature } from "./replay";

vi.stubGlobal("addEventListener", () => {}); // Node has no window

const packed = (bytes: Uint8Array) => gzipSync(bytes).toString("base64");
const vectors = JSON.parse(
  readFileSync(new URL("../../../tests/vectors/wire.json", import.meta.url), "utf8"),
) as { name: string; hex: string; values: number[] }[];
const vector = vectors.find(({ name }) => name === "picture") as (typeof vectors)[0];
const bytes = Buffer.from(vector.hex, "hex");

const args = { slot: "a", key: 3, layer: "conv1", of: "activations", first: 0, last: 64 };
const replies: SavedReply[] = [
  { name: "maps", args, value: { reduced: 2 }, tensors: [packed(bytes)] },
];

const open = (state = {}, recorded = replies) => {
  const model = new ReplayModel(state, recorded);
  return { model, bridge: connect(model as unknown as AnyModel, new AbortController().signal) };
};

describe("a saved page", () => {
  it("is recognised as one, and answers what was recorded, for any key of the picture", async () => {
    const { bridge } = open();
    expect(bridge.status.value).toBe("replay");
    const { key: _, ...rest } = args;
    const reply = await bridge.request("maps", { key: 8, ...rest });
    expect(reply.value).toEqual({ reduced: 2 });
    expect([...(reply.tensors[0]?.data ?? [])]).toEqual(vector.values);
  });

  it.each([
    ["maps", { ...args, last: 65 }],
    ["maps", { ...args, layer: "conv2" }],
    ["maps", { ...args, target: 1 }],
    ["mean", args],
  ])("says that it does not hold %s of %j", async (name, asked) => {
    await expect(open().bridge.request(name, asked)).rejects.toThrow("saved without this part");
  });

  it("says when a part is damaged", async () => {
    const damaged = [{ ...(replies[0] as SavedReply), tensors: ["AAAA"] }];
    await expect(open({}, damaged).bridge.request("maps", args)).rejects.toThrow("damaged");
  });

  it("keeps changes on the page, in step between views", async () => {
    const { model, bridge } = open({ channel: 1 });
    const other = connect(model as unknown as AnyModel, new AbortController().signal);
    bridge.trait<number>("channel").value = 5;
    expect([model.get("channel"), other.read("channel").value]).toEqual([5, 5]);
  });

  it("puts binary state back in its place", async () => {
    const page: SavedPage = {
      title: "",
      state: { _pictures: { a: { key: 1 }, b: null }, _choices: [{ name: "x" }] },
      buffers: [
        { path: ["_pictures", "a", "picture"], data: packed(bytes) },
        { path: ["_choices", 0, "thumbnail"], data: packed(bytes.subarray(0, 4)) },
      ],
      replies: [],
      esm: "",
      css: "",
    };
    const state = (await restore(page)) as {
      _pictures: { a: { picture: DataView } };
      _choices: { thumbnail: DataView }[];
    };
    expect(new Uint8Array(state._pictures.a.picture.buffer)).toEqual(new Uint8Array(bytes));
    expect(state._choices[0]?.thumbnail.byteLength).toBe(4);
  });
});

it("tells requests apart by name and arguments", () => {
  expect(signature("map", { b: 1, a: [2], key: 5 })).toBe(signature("map", { a: [2], b: 1 }));
  expect(signature("map", { a: 1 })).not.toBe(signature("mean", { a: 1 }));
  expect(signature("map", { a: 1 })).not.toBe(signature("map", { a: "1" }));
});
