import { Banner } from "./banner";
import { type Bridge, GONE, LOST, type Status } from "./model";

const WORDS: Partial<Record<Status, string>> = {
  disconnected: LOST,
  gone: GONE,
  busy: "A cell is running; the kernel answers when it has ended.",
};

/** What the reader must know of the kernel, and a button to interrupt the cell that holds it up. */
export function KernelBanner({ bridge: { status, interrupt } }: { bridge: Bridge }) {
  const words = WORDS[status.value];
  const busy = status.value === "busy" && interrupt;
  const action = busy ? { label: "Interrupt", onClick: busy } : undefined;
  return words ? (
    <Banner kind="warning" action={action}>
      {words}
    </Banner>
  ) : null;
}
