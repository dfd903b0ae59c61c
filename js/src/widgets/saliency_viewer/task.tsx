// A longer request: its button, how far it is, and giving it up.
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Banner } from "../../shared/banner";
import { Button } from "../../shared/button";
import { NEEDS_KERNEL } from "./describe";
import { complaint } from "./held";
import { useViewer } from "./state";

interface TaskProps {
  label: string;
  name: string;
  args: object;
  disabled?: boolean | undefined;
}

function useTask(
  name: string,
  share: Signal<number | undefined>,
  failed: Signal<string | undefined>,
) {
  const { bridge } = useViewer();
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  return {
    async start(args: object) {
      abort.current = new AbortController();
      share.value = 0;
      failed.value = undefined;
      try {
        await bridge.request(name, args, {
          lane: name,
          signal: abort.current.signal,
          onProgress: (done, total) => (share.value = done / total),
        });
      } catch (error) {
        failed.value = complaint(error);
      }
      share.value = undefined;
    },
    cancel: () => abort.current?.abort(),
  };
}

export function Task({ label, name, args, disabled }: TaskProps) {
  const { alone } = useViewer();
  const share = useSignal<number | undefined>(undefined);
  const failed = useSignal<string | undefined>(undefined);
  const { start, cancel } = useTask(name, share, failed);
  return (
    <>
      {share.value === undefined ? (
        <Button
          disabled={disabled || alone.value}
          title={alone.value ? NEEDS_KERNEL : undefined}
          onClick={() => start(args)}
        >
          {label}
        </Button>
      ) : (
        <>
          <Button onClick={cancel}>Cancel</Button>
          <progress value={share.value} max={1} aria-label={`Progress: ${label}`} />
        </>
      )}
      {failed.value && (
        <Banner kind="error" onDismiss={() => (failed.value = undefined)}>
          {failed.value}
        </Banner>
      )}
    </>
  );
}
