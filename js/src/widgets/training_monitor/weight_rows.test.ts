import { describe, expect, test } from "vitest";
import { colors } from "../../shared/color";
import { model, open } from "../../shared/opened";
import { pack } from "../../shared/packing";
import { append, HeldWeights, type Weights } from "./held_weights";
import { mockRun } from "./mock_runs";
import { paintRows, rowHeight } from "./row_heat";
import { filterTicks, nameOf, tableOf, weightRange, whyNoFilters, whyNone } from "./weight_rows";

const weightsOf = (columns: number[][], shape: number[]): Weights => ({
  steps: columns.map((_, i) => 10 * i),
  shape,
  weights: { of: columns[0]?.map((_, i) => i) ?? [], values: Float32Array.from(columns.flat()) },
  norms: {
    of: Array.from({ length: shape[0] as number }, (_, i) => i),
    values: Float32Array.from({ length: columns.length * (shape[0] as number) }, (_, i) => i),
  },
});

describe("rows of weights", () => {
  test("are called by their places in the layer, in C order", () => {
    expect(nameOf([4, 3, 5, 5], 3 * 75 + 2 * 25 + 1 * 5 + 4)).toBe(
      "filter 3, input 2, row 1, column 4",
    );
    expect(nameOf([10, 64], 130)).toBe("unit 2, input 2");
    expect(nameOf([6], 5)).toBe("channel 5");
    expect(nameOf([2, 3, 4], 23)).toBe("filter 1, input 2, position 3");
    expect(nameOf([1, 1, 1, 1, 1, 2], 1)).toMatch(/axis 5 1$/);
  });

  test("hold the values of their steps, or how these differ from those of another", () => {
    const held = weightsOf(
      [
        [1, -2, 3, 4],
        [1.5, 2, 3, Number.NaN],
      ],
      [2, 2],
    );
    const { rows, filters } = tableOf(held, "weights");
    expect(rows.map(({ name }) => name)[2]).toBe("unit 1, input 0");
    expect(filters).toEqual([0, 0, 1, 1]);
    expect(rows.map(({ value }) => value(1))).toEqual([1.5, 2, 3, Number.NaN]);
    const less = tableOf(held, "weights", 0);
    expect(less.rows.map(({ value }) => value(1))).toEqual([0.5, 4, 0, Number.NaN]);
    expect(less.rows.map(({ value }) => value(0))).toEqual([0, 0, 0, 0]);
    const norms = tableOf(held, "norms");
    expect(norms.rows.map(({ name, value }) => [name, value(1)])).toEqual([
      ["unit 0", 2],
      ["unit 1", 3],
    ]);
  });

  test("have one zero-centred scale for all runs, whose colours are those of the values", () => {
    const tables = [
      tableOf(weightsOf([[0.1, -0.2]], [2]), "weights"),
      tableOf(weightsOf([[0.37, Number.NEGATIVE_INFINITY]], [2]), "weights"),
    ];
    const range = weightRange(tables, true);
    expect(range).toMatchObject({ low: -0.4, high: 0.4, table: "weights", clipped: false });
    const out = { width: 1, height: 2, data: new Uint8ClampedArray(8) } as unknown as ImageData;
    paintRows(out, tables[0]?.rows ?? [], range, 0, 1);
    const table = colors("weights");
    expect([...new Uint32Array(out.data.buffer)]).toEqual([
      table[Math.round(255 * (0.5 / 0.8))],
      table[Math.round(255 * (0.2 / 0.8))],
    ]);
    expect(weightRange(tables, false)).toMatchObject({ low: 0, high: 0.4, table: "sequential" });
    expect(weightRange([], true)).toMatchObject({ low: -0, high: 0 });
  });

  test("a few that have exploded do not make all others grey", () => {
    const most = Array.from({ length: 99 }, (_, i) => i / 100);
    const range = weightRange([tableOf(weightsOf([[...most, 10]], [100]), "weights")], true);
    expect(range).toMatchObject({ high: 1, clipped: true });
  });

  test("steps, or a run, that have exploded do not make those before, or the other, grey", () => {
    const calm = [
      [0.1, -0.2],
      [0.3, 0.37],
      [0.3, 0.3],
    ];
    const burst = [
      [0.1, -0.2],
      [2e8, -1e10],
      [Number.NaN, Number.NaN],
    ];
    const table = (columns: number[][]) => tableOf(weightsOf(columns, [2]), "weights");
    const range = { low: -0.4, high: 0.4, clipped: true };
    expect(weightRange([table(calm), table(burst)], true)).toMatchObject(range);
    expect(weightRange([table([...calm, ...burst])], true)).toMatchObject(range);
    expect(weightRange([table(calm), table([[20, 30]])], true).high).toBe(30);
    expect(weightRange([table([[0, 0], ...calm])], true)).toMatchObject({ high: 0.4 });
  });

  test("have a tick where a filter begins, as far as there is room", () => {
    const filters = [0, 0, 0, 1, 1, 1, 2, 2, 2];
    const texts = (apart: number) => filterTicks(filters, "filter", apart).map(({ text }) => text);
    expect(texts(3)).toEqual(["filter 0", "filter 1", "filter 2"]);
    expect(texts(4)).toEqual(["filter 0", "filter 2"]);
    expect(filterTicks(filters, "filter", 3)[1]?.at).toBe(3.5);
    expect([rowHeight(1), rowHeight(144), rowHeight(256)]).toEqual([18, 2, 1]);
  });

  test("are missing for a reason", () => {
    const { about } = mockRun("a");
    const of = (snapshots: object, layer = "conv1", more: object = {}) =>
      whyNone({ ...about, ...more, snapshots: { ...about.snapshots, ...snapshots } }, layer);
    const shapes = { conv1: [8, 3, 5, 5] };
    expect(of({ shapes })).toBe("");
    expect(of({ shapes }, "relu")).toBe("This run has no weights of relu.");
    expect(of({ shapes }, "constructor")).toBe("This run has no weights of constructor.");
    expect(of({ shapes, kind: "filters" }, "fc1")).toMatch(/hold filters of convolutions alone/);
    expect(of({ shapes: {}, kind: "maps" })).toMatch(/hold no weights, to fit/);
    expect(of({ steps: [] })).toMatch(/^This run has no snapshots/);
    expect(of({ steps: [] }, "conv1", { live: true })).toMatch(/^No snapshots yet, .* Recorder/);
  });

  test("of layers without filters say so", () => {
    const { about } = mockRun("a");
    const shapes = { conv1: [8, 3, 5, 5], fc: [10, 4] };
    const run = { ...about, snapshots: { ...about.snapshots, shapes } };
    expect(["conv1", "fc", "relu"].map((layer) => whyNoFilters(run, layer))).toEqual([
      "",
      "fc is dense: it has no filters",
      "relu has no filters",
    ]);
    const { shapes: _, ...earlier } = run.snapshots; // a page saved earlier does not say
    expect(whyNoFilters({ ...run, snapshots: earlier }, "fc")).toBe("");
  });
});

const told = (steps: number[], fresh: number[], shape = [2]) => ({
  ...{ steps, new: fresh, shape, weights: [0, 1], filters: [0, 1] },
});
const columns = (...all: number[][]) => Float32Array.from(all.flat());

const settled = async () => {
  for (let i = 0; i < 5; i++) await Promise.resolve();
};

describe("weights that are held", () => {
  test("go on with what is new, without what there no longer is", () => {
    const first = append(undefined, told([0, 4, 8], [0, 4, 8]), [
      columns([1, 2], [3, 4], [5, 6]),
      columns([1, 2], [3, 4], [5, 6]),
    ]);
    const next = append(first, told([0, 8, 16], [16]), [columns([7, 8]), columns([9, 9])]);
    expect(next.steps).toEqual([0, 8, 16]);
    expect([...next.weights.values]).toEqual([1, 2, 5, 6, 7, 8]);
    expect([...next.norms.values]).toEqual([1, 2, 5, 6, 9, 9]);
    const none = append(next, { ...told([0, 16], []), shape: [0] }, [columns(), columns()]);
    expect([none.steps, none.shape, [...none.weights.values]]).toEqual([
      [0, 16],
      [2],
      [1, 2, 7, 8],
    ]);
    const other = append(next, told([0, 8, 16, 32], [32], [2, 3]), [
      columns([1, 1]),
      columns([1, 1]),
    ]);
    expect(other.steps).toEqual([32]);
  });

  test("are asked for once, then from where they end; refused ones again", async () => {
    const held = new HeldWeights(open());
    const asked = () => model.requests().map(({ args }) => args.after);
    const answer = async (steps: number[], fresh: number[]) => {
      const data = pack(
        fresh.flatMap((step) => [step, -step]),
        [fresh.length, 2],
        3,
      );
      model.reply(model.requests().at(-1) as never, told(steps, fresh), [data, data]);
      await settled();
    };
    held.fetch("a", "conv", 8);
    held.fetch("a", "conv", 8);
    expect(asked()).toEqual([-1]);
    held.fetch("a", "conv", 12); // one more came meanwhile
    await answer([0, 8], [0, 8]);
    expect(asked()).toEqual([-1, 8]);
    await answer([0, 8, 12], [12]);
    expect([...(held.get("a", "conv")?.weights.values ?? [])]).toEqual([0, -0, 8, -8, 12, -12]);
    held.fetch("a", "conv", 12);
    expect(asked()).toHaveLength(2);
    held.fetch("a", "fc", 12);
    const { id } = model.requests().at(-1) ?? {};
    model.message({ kind: "reply", id, ok: false, error: "There are none." });
    await settled();
    expect(held.refusal("a", "fc")).toBe("There are none.");
    expect(asked()).toHaveLength(3);
    held.fetch("a", "fc", 12);
    expect(asked()).toHaveLength(4);
  });
});
