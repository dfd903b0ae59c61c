import { expect, it } from "vitest";
import { ByteCache } from "./cache";

it("forgets what was not used for longest, by bytes", () => {
  const cache = new ByteCache<string, number>(10);
  cache.set("a", 1, 4);
  cache.set("b", 2, 4);
  expect(cache.get("a")).toBe(1);
  cache.set("c", 3, 4);
  expect(["a", "b", "c"].map((key) => cache.get(key))).toEqual([1, undefined, 3]);
  expect(cache.bytes).toBe(8);
});

it("counts a replaced entry once, and a deleted one no more", () => {
  const cache = new ByteCache<string, number>(10);
  cache.set("a", 1, 6);
  cache.set("a", 2, 7);
  expect([cache.get("a"), cache.bytes]).toEqual([2, 7]);
  cache.delete("a");
  cache.delete("never there");
  expect([cache.get("a"), cache.bytes]).toEqual([undefined, 0]);
});

it("keeps one entry that is over the limit by itself", () => {
  const cache = new ByteCache<string, number>(10);
  cache.set("a", 1, 1);
  cache.set("huge", 2, 99);
  expect([cache.get("a"), cache.get("huge")]).toEqual([undefined, 2]);
  cache.set("b", 3, 1);
  expect([cache.get("huge"), cache.bytes]).toEqual([undefined, 1]);
});
