import { expect, it } from "vitest";
import { ByteCache } from "./cache";

it("forgets what was not used for longest, by bytes", () => {
  const cache = new ByteCache<string, number>(10);
  cache.set("a", 1, 4);
  cache.set("b", 2, 4);
  expect(cache.get("a")).toBe(1);
  cache.set("c", 3, 4);
  expect([cache.has("a"), cache.has("b"), cache.has("c"), cache.bytes]).toEqual([
    true,
    false,
    true,
    8,
  ]);
});

it("counts a replaced entry once, and can be emptied", () => {
  const cache = new ByteCache<string, number>(10);
  cache.set("a", 1, 6);
  cache.set("a", 2, 7);
  expect([cache.get("a"), cache.bytes, cache.size]).toEqual([2, 7, 1]);
  cache.delete("a");
  cache.delete("never there");
  expect(cache.bytes).toBe(0);
  cache.set("b", 3, 1);
  cache.clear();
  expect([cache.size, cache.bytes]).toEqual([0, 0]);
});

it("keeps one entry that is over the limit by itself", () => {
  const cache = new ByteCache<string, number>(10);
  cache.set("a", 1, 1);
  cache.set("huge", 2, 99);
  expect([cache.has("a"), cache.get("huge")]).toEqual([false, 2]);
  cache.set("b", 3, 1);
  expect([cache.has("huge"), cache.bytes]).toEqual([false, 1]);
});
