// The one way between a widget's front-end and its kernel: traits as signals, requests with
// replies, streamed frames, and whether anybody is there.
import type { AnyModel } from "@anywidget/types";
import { signal as makeSignal, type ReadonlySignal, type Signal } from "@preact/signals";
import { interrupter, isBusy, type KernelChange, type Manager, watchKernel } from "./kernel";
import { lasting, onAbort } from "./lasting";
import { LATE, UNANSWERED } from "./look";
import { type Tensor, unpack } from "./wire";

/**
 * "busy": nothing is answered, and a cell is running; some kernels answer only when it ends.
 * "disconnected": nothing is answered for now.
 * "gone": the kernel that held the model was restarted or shut down.
 * "replay": an exported page, answered from what was recorded.
 */
export type Status = "connected" | "busy" | "disconnected" | "gone" | "replay";

export interface Reply<V> {
  value: V;
  tensors: Tensor[];
}

export interface RequestOptions {
  /** Of one lane the newest request wins; the older ones are cancelled. */
  lane?: string | undefined;
  signal?: AbortSignal | undefined;
  buffers?: ArrayBuffer[] | undefined;
  onProgress?: ((done: number, total: number) => void) | undefined;
}

export class RequestError extends Error {
  override name = "RequestError";
  constructor(
    message: string,
    readonly cancelled = false,
  ) {
    super(message);
  }
}

export interface Bridge {
  /** A two-way trait: a write to the signal is saved to the kernel and seen by every view. */
  trait<T>(name: string): Signal<T>;
  /** A trait that only the kernel writes. */
  read<T>(name: string): ReadonlySignal<T>;
  /** Asks the kernel; rejects with a RequestError. Finished requests are not cached here. */
  request<V>(name: string, args: object, options?: RequestOptions): Promise<Reply<V>>;
  /** Receives a stream's frames, newest last; acknowledges them. */
  frames(stream: string, on: (value: unknown, tensors: Tensor[]) => void): void;
  status: ReadonlySignal<Status>;
  /** Requests waiting for a reply. */
  pending: ReadonlySignal<number>;
  /** Interrupts the running cell; undefined where the host cannot. */
  interrupt: (() => void) | undefined;
  signal: AbortSignal;
}

interface Waiting {
  content: { kind: "request"; id: string; page: string; name: string; args: object; lane?: string };
  options: RequestOptions;
  asked: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  settle(reply: Reply<never> | RequestError): void;
}

interface Message {
  kind?: unknown | undefined;
  id?: string | undefined;
  ok?: boolean | undefined;
  cancelled?: boolean | undefined;
  error?: string | undefined;
  value?: unknown | undefined;
  done?: number | undefined;
  total?: number | undefined;
  stream?: string | undefined;
  seq?: number | undefined;
}

type OnFrame = (value: unknown, tensors: Tensor[]) => void;

const CANCELLED = "This request was cancelled.";
const cancellation = () => new RequestError(CANCELLED, true);
/** What a banner says, and what is refused meanwhile. */
export const GONE =
  "The kernel was restarted or shut down; what was seen still works, for more run the cell again.";
export const LOST =
  "The connection to the kernel is lost; what was seen still works, the rest waits until it is back.";

/** Connects to a widget's model until `signal` aborts. */
export function connect(model: AnyModel, signal: AbortSignal): Bridge {
  return new Connection(model, signal);
}

const same = (a: unknown, b: unknown) =>
  Object.is(a, b) ||
  (Array.isArray(a) && Array.isArray(b) && JSON.stringify(a) === JSON.stringify(b));

class Connection implements Bridge {
  readonly status: Signal<Status>;
  readonly pending = makeSignal(0);
  readonly interrupt: (() => void) | undefined;
  readonly #page = Math.random().toString(36).slice(2);
  readonly #manager: Manager;
  readonly #traits = new Map<string, Signal<unknown>>();
  readonly #written = new Set<string>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #streams = new Map<string, { on: OnFrame; seq: number }>();
  #count = 0;
  #saving = false;
  #offline = false;

  constructor(
    readonly model: AnyModel,
    readonly signal: AbortSignal,
  ) {
    this.#manager = (model.widget_manager ?? {}) as Manager;
    this.interrupt = interrupter(this.#manager);
    this.status = makeSignal<Status>(this.#manager.replay ? "replay" : "connected");
    this.#listen("msg:custom", (message: unknown, buffers: unknown) =>
      this.#receive(message, buffers),
    );
    this.#listen("comm:close", () => this.#kernel("gone"));
    watchKernel(this.#manager, signal, (change) => this.#kernel(change));
    onAbort(signal, () => this.#close());
    addEventListener("pagehide", () => this.#post({ kind: "bye" }), { signal });
    this.#post({ kind: "hello" });
  }

  trait<T>(name: string): Signal<T> {
    const trait = this.read<T>(name) as Signal<T>;
    if (this.#written.has(name)) return trait;
    this.#written.add(name);
    lasting(this.signal, () => {
      const value = trait.value;
      if (same(value, this.model.get(name))) return;
      this.model.set(name, value);
      this.#save();
    });
    return trait;
  }

  read<T>(name: string): ReadonlySignal<T> {
    let trait = this.#traits.get(name);
    if (!trait) {
      const made = makeSignal<unknown>(this.model.get(name));
      this.#listen(`change:${name}`, () => {
        const value: unknown = this.model.get(name);
        if (!same(value, made.peek())) made.value = value;
      });
      this.#traits.set(name, made);
      trait = made;
    }
    return trait as Signal<T>;
  }

  request<V>(name: string, args: object, options: RequestOptions = {}): Promise<Reply<V>> {
    if (this.signal.aborted || options.signal?.aborted) return Promise.reject(cancellation());
    const id = `${this.#page}:${++this.#count}`;
    const { lane } = options;
    for (const [old, waiting] of this.#waiting)
      if (lane !== undefined && waiting.content.lane === lane) this.#settle(old, cancellation());
    return new Promise((resolve, reject) => {
      const cancel = () => {
        this.#post({ kind: "cancel", id });
        this.#settle(id, cancellation());
      };
      const content = {
        kind: "request" as const,
        id,
        page: this.#page,
        name,
        args,
        ...(lane === undefined ? {} : { lane }),
      };
      const settle = (reply: Reply<never> | RequestError) => {
        options.signal?.removeEventListener("abort", cancel);
        reply instanceof RequestError ? reject(reply) : resolve(reply);
      };
      options.signal?.addEventListener("abort", cancel);
      const waiting: Waiting = { content, options, settle, asked: 0, timer: undefined };
      this.#waiting.set(id, waiting);
      this.pending.value = this.#waiting.size;
      if (this.#is("gone")) this.#settle(id, new RequestError(GONE));
      // Without a connection it is asked by #resync.
      else if (!this.#offline) this.#ask(waiting);
    });
  }

  frames(stream: string, on: OnFrame): void {
    this.#streams.set(stream, { on, seq: Number.NEGATIVE_INFINITY });
  }

  /** Saves what was written in one go, so that the kernel sees one change. */
  #save(): void {
    if (this.#saving) return;
    this.#saving = true;
    queueMicrotask(() => {
      this.#saving = false;
      this.model.save_changes();
    });
  }

  #ask(waiting: Waiting): void {
    waiting.asked++;
    this.#watch(waiting, LATE);
    this.#send(waiting.content, waiting.options.buffers);
  }

  #watch(waiting: Waiting, patience = UNANSWERED): void {
    clearTimeout(waiting.timer);
    if (this.#is("replay")) return;
    waiting.timer = setTimeout(() => {
      if (isBusy(this.#manager)) {
        this.#turn("connected", "busy");
        this.#watch(waiting);
      } else if (patience === LATE) this.#watch(waiting, UNANSWERED - LATE);
      else this.status.value = "disconnected";
    }, patience);
  }

  #is(status: Status): boolean {
    return this.status.peek() === status;
  }

  #turn(from: Status, to: Status): void {
    if (this.#is(from)) this.status.value = to;
  }

  #receive(message: unknown, buffers: unknown): void {
    if (typeof message !== "object" || message === null) return;
    const m = message as Message;
    if (m.kind === "frame") this.#frame(m, buffers);
    const waiting = this.#waiting.get(m.id as string);
    if (!waiting) return;
    this.#answered();
    if (m.kind === "progress") {
      this.#watch(waiting);
      waiting.options.onProgress?.(m.done ?? 0, m.total ?? 0);
    } else if (m.kind === "reply") this.#settle(m.id as string, outcome(m, buffers));
  }

  #frame(m: Message, buffers: unknown): void {
    const stream = this.#streams.get(m.stream as string);
    if (!stream || typeof m.seq !== "number") return;
    this.#answered();
    try {
      if (m.seq > stream.seq) stream.on(m.value, tensorsOf(buffers));
      stream.seq = Math.max(stream.seq, m.seq);
    } finally {
      this.#post({ kind: "ack", stream: m.stream, seq: m.seq });
    }
  }

  #settle(id: string, reply: Reply<never> | RequestError): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    this.#waiting.delete(id);
    this.pending.value = this.#waiting.size;
    waiting.settle(reply);
  }

  #answered(): void {
    if (!this.#is("replay")) this.status.value = "connected";
  }

  #kernel(change: KernelChange): void {
    if (change === "idle") {
      this.#turn("busy", "connected");
      return;
    }
    this.#offline = change === "offline";
    if (change === "gone") this.#gone();
    else if (!this.#is("gone") && this.#offline) this.status.value = "disconnected";
    else if (this.#is("disconnected")) this.#resync();
  }

  /** Says hello, and asks what waits: for the first time, or once more if it was lost on the way. */
  #resync(): void {
    this.status.value = "connected";
    this.#post({ kind: "hello" });
    for (const waiting of this.#waiting.values()) if (waiting.asked < 2) this.#ask(waiting);
  }

  #gone(): void {
    this.status.value = "gone";
    this.#refuse(new RequestError(GONE));
  }

  #refuse(error: RequestError): void {
    for (const id of [...this.#waiting.keys()]) this.#settle(id, error);
  }

  #listen(event: string, on: (...args: unknown[]) => void): void {
    this.model.on(event, on);
    onAbort(this.signal, () => this.model.off(event as "msg:custom", on));
  }

  #post(content: Record<string, unknown>): void {
    if (!this.#is("replay")) this.#send({ ...content, page: this.#page });
  }

  #send(content: object, buffers?: ArrayBuffer[]): void {
    try {
      this.model.send(content, undefined, buffers);
    } catch {
      this.#gone(); // a disposed comm throws
    }
  }

  #close(): void {
    this.#post({ kind: "bye" });
    this.#refuse(cancellation());
    this.#streams.clear();
  }
}

const tensorsOf = (buffers: unknown) => ((buffers ?? []) as DataView[]).map(unpack);

function outcome(m: Message, buffers: unknown): Reply<never> | RequestError {
  if (!m.ok)
    return new RequestError(
      m.error ?? (m.cancelled ? CANCELLED : "The kernel could not answer."),
      m.cancelled === true,
    );
  try {
    return { value: m.value as never, tensors: tensorsOf(buffers) };
  } catch (error) {
    return new RequestError(`The answer could not be read: ${(error as Error).message}.`);
  }
}
