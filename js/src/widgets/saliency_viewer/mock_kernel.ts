// A kernel for tests: saliency is a ramp on a picture of 4 × 4 pixels, of either sign.
import { type Content, FakeModel } from "../../shared/fake_model";
import { pack } from "../../shared/packing";
import type { Made, Method } from "./types";

export const NAMES = ["cat", "<b>dog</b>", "bird"];
export const EDGE = 4;

/** The value of a channel at a pixel. */
export const atPixel = (channel: number, pixel: number, target = 0): number =>
  (channel ? -1 : 1) * (pixel - 7) * (target + 1);

/** Two channels of opposite sign; the last pixel of Grad-CAM was not measured. */
export function mapOf(method: string, target = 0, part = 1): DataView {
  const flat = method === "grad_cam";
  const values = Array.from({ length: (flat ? 1 : 2) * EDGE ** 2 }, (_, i) => {
    if (flat && i === EDGE ** 2 - 1) return Number.NaN;
    return part * atPixel(Math.floor(i / EDGE ** 2), i % EDGE ** 2, target);
  });
  return pack(values, [flat ? 1 : 2, EDGE, EDGE], 3);
}

const METHODS: Method[] = [
  { key: "saliency", label: "Saliency", about: "gradient", settings: [], at_once: true },
  {
    ...{ key: "smoothgrad", label: "SmoothGrad", about: "mean gradient" },
    ...{ settings: ["samples", "noise"], at_once: false },
  },
  { key: "grad_cam", label: "Grad-CAM", about: "maps", settings: ["cam_layer"], at_once: true },
];

export const made = (method: string, changes: Partial<Made> = {}): Made => {
  const { target = 0, randomised = false } = changes;
  return {
    id: `${method}:${target}:${randomised ? "random" : "trained"}`,
    method,
    target,
    name: NAMES[target] as string,
    randomised,
    unit: method === "grad_cam" ? "weighted activation (logit)" : "logit per input unit",
    signed: true,
    flat: method === "grad_cam",
    settings:
      method === "smoothgrad"
        ? { measure: "logit", samples: 50, noise: 0.15 }
        : { measure: "logit" },
    key: 1,
    version: 1,
    done: 1,
    total: 1,
    note: "",
    error: null,
    active: false,
    stages: 0,
    ...changes,
  };
};

export class MockKernel extends FakeModel {
  #frames = 0;

  constructor(traits: Content = {}) {
    super({
      method: "saliency",
      compare: [],
      target: 0,
      against: null,
      randomised: false,
      measure: "logit",
      samples: 50,
      noise: 0.15,
      baseline: "black",
      cam_layer: null,
      window: 2,
      stride: 1,
      fill: "mean",
      reduction: "max_abs",
      part: "all",
      percentile: 100,
      scale: "each",
      overlay: 1,
      progress: 0,
      running: false,
      _picture: {
        key: 1,
        name: "picture",
        picture: pack(new Uint8Array(16).fill(100), [4, 4, 1], 0),
      },
      _classes: NAMES,
      _likely: NAMES.slice(0, 2).map((name, index) => ({
        index,
        name,
        probability: 0.7 - index / 2,
      })),
      _network: "Net",
      _layers: ["conv1", "conv2"],
      _methods: METHODS,
      _words: { probability: "probability", logit: "logit", "log-odds": "log-odds" },
      _maps: [],
      _curves: null,
      _cut: null,
      _sheet: null,
      _error: null,
      ...traits,
    });
  }

  override send(content: Content, _: unknown, buffers?: unknown): void {
    super.send(content, _, buffers);
    if (content.kind !== "request" || content.name === "curves") return;
    const [method, target] = String(content.args.id).split(":") as [string, string];
    if (content.name === "map")
      setTimeout(() => this.reply(content, {}, [mapOf(method, Number(target))]));
    else if (content.name === "stages")
      setTimeout(() =>
        this.reply(
          content,
          { done: [10, 20, 50] },
          [0.2, 0.5, 1].map((part) => mapOf(method, 0, part)),
        ),
      );
    else setTimeout(() => this.reply(content));
  }

  /** Computes: the maps are there. */
  finish(...maps: Made[]): void {
    this.update("_maps", maps);
    this.update("running", false);
  }

  frame(id: string, version: number, part: number): void {
    const [method] = id.split(":") as [string];
    const value = { id, version };
    this.message({ kind: "frame", stream: "map", seq: ++this.#frames, value }, [
      mapOf(method, 0, part),
    ]);
  }
}
