import { useSignal } from "@preact/signals";
import { Button } from "../../shared/button";

/** Copies a snippet; where the page may not use the clipboard, shows it selected. */
export function CopyCode({ code }: { code: string }) {
  const state = useSignal<"" | "copied" | "shown">("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(code);
      state.value = "copied";
    } catch {
      state.value = "shown";
    }
  };
  return (
    <>
      <Button onClick={() => void copy()}>
        <span aria-live="polite">{state.value === "copied" ? "Copied" : "Copy as code"}</span>
      </Button>
      {state.value === "shown" && (
        <textarea readOnly rows={8} aria-label="Code" ref={(area) => area?.select()} value={code} />
      )}
    </>
  );
}
