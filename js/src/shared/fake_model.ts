// For tests: anywidget's side of a model.
import type { AnyModel } from "@anywidget/types";

// biome-ignore lint/suspicious/noExplicitAny: whatever was sent
export type Content = Record<string, any>;
type Handler = (...args: unknown[]) => void;

export class Emitter {
  slots = new Set<Handler>();
  connect = (slot: Handler) => this.slots.add(slot);
  disconnect = (slot: Handler) => this.slots.delete(slot);
  emit(value?: unknown) {
    for (const slot of [...this.slots]) slot(this, value);
  }
}

/** The model's side of anywidget, the kernel behind it, and a record of what was sent. */
export class FakeModel {
  sent: Content[] = [];
  buffers: unknown[] = [];
  saves: Content[] = [];
  saveCalls = 0;
  handlers = new Map<string, Set<Handler>>();
  broken = false;
  interrupts = 0;
  #dirty: Content = {};
  kernel = {
    status: "idle",
    interrupt: async () => {
      this.interrupts++;
    },
    statusChanged: new Emitter(),
    connectionStatusChanged: new Emitter(),
    disposed: new Emitter(),
  };
  widget_manager: Content = { kernel: this.kernel };

  constructor(readonly state: Content = {}) {}

  /** As anywidget hands it to `render`. */
  get model(): AnyModel {
    return this as unknown as AnyModel;
  }

  get(name: string) {
    return this.state[name];
  }
  set(name: string, value: unknown) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    this.#dirty[name] = value;
    this.fire(`change:${name}`);
  }
  save_changes() {
    this.saveCalls++;
    if (Object.keys(this.#dirty).length) this.saves.push(this.#dirty);
    this.#dirty = {};
  }
  /** A change that comes from the kernel. */
  update(name: string, value: unknown) {
    this.state[name] = value;
    this.fire(`change:${name}`);
  }
  on(event: string, handler: Handler) {
    if (!this.handlers.has(event)) this.handlers.set(event, new Set());
    this.handlers.get(event)?.add(handler);
  }
  off(event: string, handler: Handler) {
    this.handlers.get(event)?.delete(handler);
  }
  send(content: Content, _: unknown, buffers?: unknown) {
    if (this.broken) throw new Error("the comm is closed");
    this.sent.push(content);
    this.buffers.push(buffers);
  }
  fire(event: string, ...args: unknown[]) {
    for (const handler of [...(this.handlers.get(event) ?? [])]) handler(...args);
  }
  message(content: unknown, buffers: DataView[] = []) {
    this.fire("msg:custom", content, buffers);
  }
  reply(request: Content, value: unknown = {}, buffers: DataView[] = []) {
    this.message({ kind: "reply", id: request.id, ok: true, value }, buffers);
  }
  requests = () => this.sent.filter(({ kind }) => kind === "request");
  /** The requests of a name. */
  asked = (name: string) => this.requests().filter((request) => request.name === name);
  kinds = () => this.sent.map(({ kind }) => kind);
  get listeners() {
    const { statusChanged, connectionStatusChanged, disposed } = this.kernel;
    const kernel = [statusChanged, connectionStatusChanged, disposed].map(
      ({ slots }) => slots.size,
    );
    return (
      [...this.handlers.values()].reduce((n, set) => n + set.size, 0) +
      kernel.reduce((a, b) => a + b)
    );
  }
}
