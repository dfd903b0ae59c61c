// Made-up training runs: one that learns, one whose learning rate is too large.
import { EDGES, MIDDLE } from "./bins";
import { BINS, type Finding, type Quantity, type Run } from "./types";

export interface MockCurve {
  name: string;
  /** Step, value, seconds. */
  points: [number, number, number][];
}

export interface MockRun {
  about: Run;
  curves: MockCurve[];
  /** Recorded steps. */
  rows: number[];
  seq: number;
}

export const LAYERS = ["conv1", "conv2", "block.<b>conv3</b>", "fc1", "fc2"];
const QUANTITIES: Quantity[] = ["weights", "gradients", "activations"];
const PER_EPOCH = 100;
/** Seconds a step takes. */
const STEP = 0.02;

/** Between −1 and 1; the same for the same numbers. */
export const noise = (a: number, b = 0): number => {
  const x = Math.sin(12.9898 * a + 78.233 * b) * 43758.5453;
  return 2 * (x - Math.floor(x)) - 1;
};

const rateOf = (bad: boolean) => (bad ? 0.5 : 0.05);

function lossAt(step: number, bad: boolean, kind: number): number {
  if (bad && step > 40) return Math.LN10 + 0.02 * noise(step, kind);
  const fallen = 2.2 * Math.exp(-step / 250) + 0.12 + (kind ? 0.04 + step / 2e4 : 0);
  return fallen * (1 + 0.15 * noise(step, kind)) * (bad ? 1 + (step / 20) ** 2 : 1);
}

const accuracyOf = (loss: number) => Math.max(0.1, 0.99 - loss / 2.6);

export function mockCurves(steps: number, bad = false, apart = 1): MockCurve[] {
  const every = (name: string, each: number, at: (step: number) => number): MockCurve => ({
    name,
    points: Array.from({ length: Math.floor(steps / each) }, (_, i) => {
      const step = (i + 1) * each;
      return [step, at(step), step * STEP];
    }),
  });
  return [
    every("loss", apart, (step) => lossAt(step, bad, 0)),
    every("val_loss", PER_EPOCH, (step) => lossAt(step, bad, 1)),
    every("accuracy", apart, (step) => accuracyOf(lossAt(step, bad, 0))),
    every("val_accuracy", PER_EPOCH, (step) => accuracyOf(lossAt(step, bad, 1))),
    every("learning_rate", apart, (step) => rateOf(bad) * 0.5 ** Math.floor(step / 400)),
    every(
      "gradient_norm",
      apart,
      (step) => (bad && step > 40 ? 0.01 : 1.5) * (1 + noise(step) / 3),
    ),
    every("samples_per_second", apart, (step) => 6400 + 300 * noise(step, 2)),
    every("epoch", PER_EPOCH, (step) => step / PER_EPOCH),
  ];
}

const FOUND: Finding = {
  kind: "dead units",
  severity: "error",
  step: 60,
  layer: "conv2",
  evidence: { dead: 0.94 },
  message: "94% of the units give nothing on any picture of the last batches.",
};

export function mockRun(id: string, changes: Partial<MockRun & { bad: boolean }> = {}): MockRun {
  const { bad = false } = changes;
  const rows = changes.rows ?? Array.from({ length: 60 }, (_, i) => 10 * (i + 1));
  const about: Run = {
    ...{ id, name: bad ? "lr <b>0.5</b>" : "lr 0.05", model: "SmallNet" },
    ...{ live: false, paused: false, controllable: false, rate: rateOf(bad), total: null },
    layers: LAYERS,
    keys: QUANTITIES.flatMap((quantity) =>
      LAYERS.map((layer) => [layer, quantity] as [string, Quantity]),
    ),
    snapshots: {
      ...{ steps: rows.filter((_, i) => i % 6 === 0), kind: "everything" },
      shapes: Object.fromEntries(
        LAYERS.map((layer) => [layer, layer === "fc2" ? [3, 8] : [8, 3, 5, 5]]),
      ),
    },
    findings: bad ? [FOUND] : [],
    notes: [],
    probe: 4,
    classes: ["cat", "<b>dog</b>", "bird"],
    error: null,
  };
  const curves = changes.curves ?? mockCurves(600, bad);
  return { curves, rows, seq: 0, ...changes, about: { ...about, ...changes.about } };
}

/** The numbers of one row and column, in the order of FIELDS. */
export function fieldsAt(run: MockRun, row: number, key: number): number[] {
  const [layer, quantity] = run.about.keys[key] as [string, Quantity];
  const depth = LAYERS.indexOf(layer) + 1;
  const std = stdAt(run, row, key);
  const weights = quantity === "weights";
  const dead = quantity === "activations" ? (run.about.findings.length ? 0.9 : 0.05) : Number.NaN;
  return [
    ...[30 * std, 0.01 * noise(row, key), std, quantity === "activations" ? 0.5 : 0],
    ...(run.about.model ? [0, 0] : [Number.NaN, Number.NaN]), // not in TensorBoard's files
    ...[weights ? 1e-3 * depth * (1 + 0.4 * noise(row, key)) : Number.NaN, dead],
  ];
}

const stdAt = (run: MockRun, row: number, key: number): number => {
  const kind = Math.floor(key / LAYERS.length);
  const grown = 1 + row / run.rows.length;
  return [0.1 * grown, 0.01 / grown, 0.8 * grown][kind] as number;
};

/** A histogram as it travels: of a normal distribution about zero, its density times the width of each bin. */
export function codesAt(run: MockRun, row: number, key: number): number[] {
  const std = stdAt(run, row, key);
  const positive = run.about.keys[key]?.[1] === "activations";
  const shares = Array.from({ length: BINS }, (_, bin) => {
    if (bin === MIDDLE) return positive ? 0.5 : 0;
    if (positive && bin < MIDDLE) return 0;
    const [low, high] = [EDGES[bin] as number, EDGES[bin + 1] as number];
    return ((high - low) / std) * Math.exp(-(((low + high) / 2 / std) ** 2) / 2) * 0.4;
  });
  return shares.map((share) => Math.round(254 * Math.sqrt(Math.min(1, share))));
}
