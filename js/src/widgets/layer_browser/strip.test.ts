import { describe, expect, test } from "vitest";
import { groupLayers, isOpen, type Row, rowTops, search, stripRows, visibleRows } from "./groups";
import { laneCount, lanes, MAX_LANES } from "./lanes";
import { residual, small } from "./mock_graphs";
import type { Layer } from "./types";

const layer = (name: string, inputs: string[], block = ""): Layer => ({
  name,
  kind: "other",
  block,
  shape: [1],
  parameters: 0,
  rf: null,
  inputs,
  detail: "",
  error: null,
  filters: null,
  receipt: false,
});
const flat = (layers: Layer[]): Row[] => stripRows(groupLayers(layers), () => true);
const letters = (edges: Record<string, string>) =>
  Object.entries(edges).map(([name, inputs]) => layer(name, inputs ? inputs.split(" ") : []));

describe("groups", () => {
  test("are runs of one block; single layers and unnamed blocks stay by themselves", () => {
    const layers = ["", "a", "a", "", "a", "", ""].map((block, i) => layer(`${i}`, [], block));
    expect(groupLayers(layers).map(({ name, first, last }) => [name, first, last])).toEqual([
      ["", 0, 1],
      ["a", 1, 3],
      ["", 3, 4],
      ["a", 4, 5],
      ["", 5, 6],
      ["", 6, 7],
    ]);
    expect(flat(layers).filter(({ type }) => type === "group")).toHaveLength(1);
  });

  test("of a deep network are closed, but for the chosen layer's and those opened by hand", () => {
    const { layers } = residual(50);
    const groups = groupLayers(layers);
    const open = groups.filter((group) => isOpen(group, 100, new Map(), layers.length));
    expect(open).toHaveLength(1);
    expect(open[0]?.first).toBeLessThanOrEqual(100);
    expect(open[0]?.last).toBeGreaterThan(100);
    const [chosen, other] = [open[0], groups[4]] as [(typeof groups)[0], (typeof groups)[0]];
    const toggled = new Map([
      [chosen.first, false],
      [other.first, true],
    ]);
    expect(groups.filter((g) => isOpen(g, 100, toggled, layers.length))).toEqual([other]);
    const rows = stripRows(groups, (g) => isOpen(g, 100, new Map(), layers.length));
    expect(rows.length).toBeLessThan(70);
  });

  test("of a small network are open", () => {
    expect(isOpen({ name: "a", first: 2, last: 5 }, 9, new Map(), 10)).toBe(true);
  });
});

test.each([
  ["conv", [0, 2]],
  ["CONVOLUTION", [0, 2]],
  ["relu #3", [7]],
  ["nothing", []],
  ["  ", null],
])("search %j", (query, found) => {
  expect(search(small.layers, query)).toEqual(found);
});

test("visible rows are those that touch the window", () => {
  const rows = flat(small.layers);
  const tops = rowTops(rows);
  expect(tops.slice(0, 3)).toEqual([0, 26, 66]);
  expect(visibleRows(tops, 0, 30)).toEqual([0, 2]);
  expect(visibleRows(tops, 66, 106)).toEqual([2, 3]);
  expect(visibleRows(tops, -200, 1e6)).toEqual([0, rows.length]);
  expect(visibleRows(tops, 0, 0)).toEqual([0, 0]);
});

describe("lanes", () => {
  test("a chain needs none", () => {
    const drawn = lanes(flat(small.layers), small.layers);
    expect(laneCount(drawn)).toBe(0);
    expect(drawn.every(({ up }, i) => up === i > 0)).toBe(true);
  });

  test("a residual skip leaves, passes and arrives", () => {
    const layers = letters({ a: "input", b: "a", c: "b", add: "c a", d: "add" });
    const drawn = lanes(flat(layers), layers);
    expect(drawn.map(({ begins, through, ends }) => [begins, through, ends])).toEqual([
      [[], [], []],
      [[0], [], []],
      [[], [0], []],
      [[], [0], []],
      [[], [], [0]],
      [[], [], []],
    ]);
  });

  test("parallel branches are not joined by a straight line", () => {
    const layers = letters({ a: "input", left: "a", right: "a", cat: "left right" });
    const [, a, left, right, cat] = lanes(flat(layers), layers);
    expect(a?.down && left?.up).toBe(true);
    expect(left?.down || right?.up).toBe(false);
    expect(right?.ends).toEqual([0]);
    expect(cat?.ends).toEqual([1]);
  });

  test("one lane serves all that read the same layer; a free lane is used again", () => {
    const dense = letters({ a: "input", b: "a", c: "b a", d: "c a", e: "d b" });
    const drawn = lanes(flat(dense), dense);
    expect(drawn[1]?.begins).toEqual([0]);
    expect([drawn[3]?.ends, drawn[3]?.through]).toEqual([[0], [0, 1]]);
    const twice = letters({ a: "input", b: "a", s: "b a", c: "s", t: "c s" });
    expect(laneCount(lanes(flat(twice), twice))).toBe(1);
  });

  test("pass headers, and end at a closed block", () => {
    const { layers } = residual(2);
    const groups = groupLayers(layers);
    const rows = stripRows(groups, (group) => group.name !== "layer1.1");
    const drawn = lanes(rows, layers);
    const header = rows.findIndex((row) => row.type === "group" && row.open);
    expect(drawn[header]).toMatchObject({ node: false, up: true, down: true, through: [0] });
    const closed = rows.findIndex((row) => row.type === "group" && !row.open);
    expect(drawn[closed]).toMatchObject({ node: true, up: true, down: true, ends: [] });
  });

  test("never need more than the gutter holds", () => {
    const names = Array.from({ length: 20 }, (_, i) => `l${i}`);
    const layers = names.map((name, i) => layer(name, ["input", ...names.slice(0, i)]));
    expect(laneCount(lanes(flat(layers), layers))).toBe(MAX_LANES);
  });

  test("an input that nobody computed is left out", () => {
    const layers = letters({ a: "input", b: "elsewhere" });
    expect(lanes(flat(layers), layers)[2]).toMatchObject({ up: false, ends: [] });
  });
});
