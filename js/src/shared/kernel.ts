// Whether somebody answers. The kernel connection is not part of anywidget's contract: every
// property is feature-detected, and a host that has none of it counts as connected.
import { onAbort } from "./lasting";

interface Emitter<A> {
  connect(slot: (sender: unknown, args: A) => void): unknown;
  disconnect(slot: (sender: unknown, args: A) => void): unknown;
}

interface Kernel {
  status?: string;
  connectionStatus?: string;
  statusChanged?: Emitter<string>;
  connectionStatusChanged?: Emitter<string>;
  disposed?: Emitter<unknown>;
  interrupt?(): Promise<unknown>;
}

export interface Manager {
  kernel?: Kernel | null;
  replay?: boolean;
}

/** "gone": the kernel that held the model was restarted or shut down; only running the cell again helps. */
export type KernelChange = "online" | "offline" | "idle" | "gone";

const GONE = /restarting|dead|terminating/;

/** Calls back on every change until the signal aborts. */
export function watchKernel(
  manager: Manager,
  signal: AbortSignal,
  on: (change: KernelChange) => void,
): void {
  const { kernel } = manager;
  if (!kernel) return;
  const status = (_: unknown, now: string) => {
    if (GONE.test(now)) on("gone");
    else if (now === "idle") on("idle");
  };
  const connection = (_: unknown, now: string) => on(now === "connected" ? "online" : "offline");
  const listen = <A>(emitter: Emitter<A> | undefined, slot: (sender: unknown, now: A) => void) => {
    emitter?.connect(slot);
    onAbort(signal, () => emitter?.disconnect(slot));
  };
  listen(kernel.statusChanged, status);
  listen(kernel.connectionStatusChanged, connection);
  listen(kernel.disposed, () => on("gone"));
}

/** A kernel that runs a cell may answer late; one that is idle, or cannot be asked, may not. */
export const isBusy = ({ kernel }: Manager): boolean => kernel?.status === "busy";

/** Ends the running cell; undefined where the host cannot. Should it fail, the kernel's status says the rest. */
export const interrupter = ({ kernel }: Manager): (() => void) | undefined =>
  kernel?.interrupt && (() => void kernel.interrupt?.().catch(() => {}));
