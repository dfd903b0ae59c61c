// Which layers notice the patch: how much each one's activations change.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Bars } from "../../shared/bars";
import { percent } from "../../shared/format";
import { andKept } from "./describe";
import { complaint } from "./probe";
import { useSlider } from "./state";
import type { LayerChange } from "./types";

/** A patch that has not moved for so long is looked at (ms). */
const SETTLED = 200;

export function Layers() {
  const { bridge, probe } = useSlider();
  const open = useSignal(false);
  const layers = useSignal<LayerChange[]>([]);
  const failed = useSignal<string | undefined>(undefined);
  const { question } = probe.answer.value;
  useEffect(() => {
    if (!open.value) return;
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      const { target: _, ...patch } = question;
      const options = { lane: "layers", signal: abort.signal };
      try {
        const { value } = await bridge.request<{ layers: LayerChange[] }>("layers", patch, options);
        layers.value = value.layers;
        failed.value = undefined;
      } catch (error) {
        failed.value = complaint(error);
      }
    }, SETTLED);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [open.value, question]);
  return (
    <details
      class="cnnw-os-layers"
      onToggle={({ currentTarget }) => (open.value = currentTarget.open)}
    >
      <summary>Which layers notice</summary>
      {failed.value || !layers.value.length ? (
        <p class="cnnw-note" role="status">
          {failed.value ?? "Looking at every layer, with and without the patch…"}
        </p>
      ) : (
        <Bars
          caption={`Change of the activations by the patch${andKept(question.kept.length)}, relative to their size`}
          rows={layers.value.map(({ name, change }) => ({
            label: name,
            value: change ?? 0,
            text: change === null ? "zero" : percent(change),
          }))}
        />
      )}
    </details>
  );
}
