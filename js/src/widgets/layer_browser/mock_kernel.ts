// A kernel for tests: answers the browser's requests with made-up tensors.
import type { AnyModel } from "@anywidget/types";
import { pack } from "../../shared/packing";
import { small } from "./mock_graphs";
import {
  type Answer,
  type Args,
  describe,
  filters,
  NAMES,
  picture,
  predictions,
  receipt,
  softmaxed,
  unitValue,
} from "./mock_tensors";
import type { Graph, Layer } from "./types";

type Message = { kind: string; id: string; page: string; name: string; args: Args };

export class MockKernel {
  readonly requests: { name: string; args: Args }[] = [];
  /** Milliseconds before an answer. */
  delay = 0;
  /** Overrides answers by request name. */
  answers: Record<string, (args: Args) => Answer> = {};
  readonly #traits: Record<string, unknown>;
  readonly #listeners = new Map<string, Set<(...args: never[]) => void>>();

  constructor(
    readonly graph: Graph = small,
    traits: Record<string, unknown> = {},
    readonly widget_manager: object = {},
  ) {
    const [channels = 1, edge = 28] = graph.input;
    const choices = Array.from({ length: 12 }, (_, i) => ({
      name: `picture ${i}`,
      thumbnail: picture(i, channels, 28),
    }));
    this.#traits = {
      _graph: graph,
      _pictures: {
        a: { key: 1, name: "picture 1", picture: picture(1, channels, edge), choice: 1 },
        b: null,
      },
      _predictions: { a: predictions(1), b: null },
      _choices: choices,
      _classes: NAMES,
      _error: null,
      layer: graph.layers[0]?.name ?? null,
      channel: 0,
      view: "maps",
      color_range: "layer",
      unit: null,
      target: 9,
      ...traits,
    };
  }

  /** As anywidget hands it to `render`. */
  get model(): AnyModel {
    return this as unknown as AnyModel;
  }

  get(name: string): unknown {
    return this.#traits[name];
  }

  set(name: string, value: unknown): void {
    if (Object.is(this.#traits[name], value)) return;
    this.#traits[name] = value;
    this.#emit(`change:${name}`);
  }

  save_changes(): void {}

  on(event: string, listener: (...args: never[]) => void): void {
    this.#listeners.set(event, (this.#listeners.get(event) ?? new Set()).add(listener));
  }

  off(event: string, listener: (...args: never[]) => void): void {
    this.#listeners.get(event)?.delete(listener);
  }

  send(message: Message): void {
    if (message.kind !== "request") return;
    const { id, name, args } = message;
    this.requests.push({ name, args });
    setTimeout(() => {
      const answer = (this.answers[name] ?? ((a) => this.#answer(name, a)))(args);
      if ("error" in answer)
        this.#emit("msg:custom", { kind: "reply", id, ok: false, error: answer.error });
      else
        this.#emit(
          "msg:custom",
          { kind: "reply", id, ok: true, value: answer.value },
          answer.tensors ?? [],
        );
    }, this.delay);
  }

  /** Listeners that are left. */
  get listening(): number {
    return [...this.#listeners.values()].reduce((sum, { size }) => sum + size, 0);
  }

  #emit(event: string, ...args: unknown[]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(...(args as never[]));
  }

  #layer(name: string): Layer {
    return this.graph.layers.find((layer) => layer.name === name) as Layer;
  }

  #answer(name: string, args: Args): Answer {
    const { slot, key, layer: at, channel = 0, first = 0, last = 0 } = args;
    if (name === "pick") return this.#show(slot, args.index);
    if (name === "clear") return this.#show("b", null);
    if (name === "upload") return this.#show(slot, 7);
    const layer = this.#layer(at);
    const [channels = 1, height = 1, width = 1] = layer.shape ?? [];
    const maps = (from: number, to: number) =>
      Array.from({ length: (to - from) * height * width }, (_, i) =>
        unitValue(
          key,
          at,
          from + Math.floor(i / (height * width)),
          Math.floor(i / width) % height,
          i % width,
        ),
      );
    if (name === "layer") return describe(layer, maps(0, channels));
    if (name === "maps")
      return {
        value: { reduced: 1 },
        tensors: [pack(maps(first, last), [last - first, height, width], 1)],
      };
    if (name === "map" || name === "mean")
      return { value: {}, tensors: [pack(maps(channel, channel + 1), [height, width], 3)] };
    if (name === "vector")
      return { value: {}, tensors: [pack(softmaxed(layer, maps(0, channels)), [channels], 3)] };
    if (name === "filters") return filters(layer, first, last, args.input);
    return receipt(layer, args);
  }

  #show(slot: string, index: number | null): Answer {
    const [channels = 1, edge = 28] = this.graph.input;
    const shown =
      index === null
        ? null
        : {
            key: 100 + index,
            name: `picture ${index}`,
            picture: picture(index, channels, edge),
            choice: index,
          };
    this.set("_predictions", {
      ...(this.get("_predictions") as object),
      [slot]: index === null ? null : predictions(index),
    });
    this.set("_pictures", { ...(this.get("_pictures") as object), [slot]: shown });
    return { value: {} };
  }
}
