// What the reader must know of the kernel, the model and the last request, on top of everything.
import { useSignal } from "@preact/signals";
import { Banner } from "../../shared/banner";
import { GONE, LOST, type Status } from "../../shared/model";
import { focusRoot, useBrowser } from "./state";

const WARNINGS: Partial<Record<Status, string>> = { disconnected: LOST, gone: GONE };

export function Messages() {
  const { bridge, error, notice, graph } = useBrowser();
  const dismissed = useSignal<string | null>(null);
  const status = bridge.status.value;
  const warning = WARNINGS[status];
  const failed = graph.value?.error;
  return (
    <div>
      {warning && <Banner kind="warning">{warning}</Banner>}
      {status === "busy" && <Busy />}
      {error.value && error.value !== dismissed.value && (
        <Banner kind="error" onDismiss={() => (dismissed.value = error.value)}>
          {error.value}
        </Banner>
      )}
      {failed && failed !== error.value && <Banner kind="error">{failed}</Banner>}
      {notice.value && (
        <Banner
          kind={status === "replay" ? "info" : "error"}
          onDismiss={() => (notice.value = undefined)}
        >
          {notice.value}
        </Banner>
      )}
    </div>
  );
}

function Busy() {
  const { bridge, root } = useBrowser();
  const onClick = () => {
    bridge.interrupt?.();
    focusRoot(root); // the button goes
  };
  return (
    <Banner kind="info" action={bridge.interrupt && { label: "Interrupt the cell", onClick }}>
      The kernel is running a cell and may only answer when the cell ends.
    </Banner>
  );
}
