// Made-up networks for tests: only what the browser is told of them.
import type { Graph, Layer, ReceptiveField } from "./types";

const rf = (size: number, jump: number, start: number): ReceptiveField => ({
  size: [size, size],
  jump: [jump, jump],
  start: [start, start],
});

type Short = Partial<Layer> & Pick<Layer, "name" | "kind">;

function graph(name: string, input: number[], short: Short[]): Graph {
  let before = "input";
  const layers = short.map((given): Layer => {
    const layer = {
      block: given.name.includes(".") ? given.name.slice(0, given.name.lastIndexOf(".")) : "",
      shape: null,
      parameters: 0,
      rf: null,
      inputs: [before],
      detail: "",
      error: null,
      filters: null,
      receipt: given.kind === "conv",
      ...given,
    };
    before = layer.name;
    return layer;
  });
  const total = layers.reduce((sum, { parameters }) => sum + parameters, 0);
  return { layers, error: null, input, total_parameters: total, name };
}

const conv = (
  name: string,
  from: number,
  to: number,
  edge: number,
  field: ReceptiveField,
  k = 3,
): Short => ({
  name,
  kind: "conv",
  detail: `${k}×${k}, stride 1`,
  shape: [to, edge, edge],
  parameters: k * k * from * to + to,
  filters: [to, from, k, k],
  rf: field,
});
const relu = (name: string, shape: number[], field: ReceptiveField | null): Short => ({
  name,
  kind: "activation",
  detail: "ReLU",
  shape,
  rf: field,
});

/** A small classifier of 28×28 grey pictures. */
export const small = graph(
  "FashionNet",
  [1, 28, 28],
  [
    conv("conv1", 1, 32, 26, rf(3, 1, 0)),
    relu("relu", [32, 26, 26], rf(3, 1, 0)),
    conv("conv2", 32, 32, 24, rf(5, 1, 0)),
    relu("relu#2", [32, 24, 24], rf(5, 1, 0)),
    {
      name: "pool",
      kind: "pool",
      detail: "max 2×2, stride 2",
      shape: [32, 12, 12],
      rf: rf(6, 2, 0),
    },
    { name: "flatten", kind: "flatten", shape: [4608] },
    { name: "fc1", kind: "linear", detail: "4,608 → 256", shape: [256], parameters: 1_179_904 },
    relu("relu#3", [256], null),
    { name: "fc2", kind: "linear", detail: "256 → 10", shape: [10], parameters: 2570 },
    { name: "softmax", kind: "softmax", shape: [10] },
  ],
);

/** Bottleneck blocks with residual sums, as many as asked for. */
export function residual(blocks: number): Graph {
  const layers: Short[] = [
    conv("conv1", 3, 64, 112, rf(7, 2, -3), 7),
    relu("relu", [64, 112, 112], rf(7, 2, -3)),
  ];
  let last = "relu";
  for (let b = 0; b < blocks; b++) {
    const at = `layer${1 + Math.floor(b / 8)}.${b % 8}`;
    const shape = [256, 56, 56];
    const field = rf(11 + 2 * b, 2, -5 - b);
    layers.push(
      { ...conv(`${at}.conv1`, 256, 64, 56, field, 1), inputs: [last] },
      {
        name: `${at}.bn1`,
        kind: "norm",
        detail: "batch",
        shape: [64, 56, 56],
        parameters: 128,
        rf: field,
      },
      relu(`${at}.relu`, [64, 56, 56], field),
      conv(`${at}.conv2`, 64, 256, 56, field),
      { name: `${at}.add`, kind: "add", shape, rf: field, inputs: [`${at}.conv2`, last] },
      relu(`${at}.relu#2`, shape, field),
    );
    last = `${at}.relu#2`;
  }
  layers.push(
    {
      name: "avgpool",
      kind: "pool",
      detail: "adaptive average",
      shape: [2048, 7, 7],
      inputs: [last],
    },
    { name: "fc", kind: "linear", detail: "2,048 → 1,000", shape: [1000], parameters: 2_049_000 },
  );
  return graph(`ResNet of ${blocks} blocks`, [3, 224, 224], layers);
}

/** The small one, failing in its second convolution. */
export const failing: Graph = {
  ...small,
  error: "conv2: expected 16 input channels, but got 32.",
  layers: small.layers
    .slice(0, 3)
    .map((layer) =>
      layer.name === "conv2"
        ? { ...layer, shape: null, rf: null, error: "expected 16 input channels, but got 32." }
        : layer,
    ),
};
