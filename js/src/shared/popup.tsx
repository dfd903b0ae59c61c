import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { handled } from "./keys";
import "./popup.css";

/**
 * A button that opens a small panel over what follows; Escape, or leaving it, closes it. What is in it
 * is there only while it is open. A click on its margin leaves the focus in it.
 */
export function Popup({ label, children }: { label: string; children: ComponentChildren }) {
  const ref = useRef<HTMLDetailsElement>(null);
  const [open, setOpen] = useState(false);
  const close = () => {
    if (ref.current) ref.current.open = false;
  };
  return (
    <details
      ref={ref}
      class="cnnw-popup"
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !ref.current?.open) return;
        close();
        ref.current.querySelector("summary")?.focus();
        handled(event);
      }}
      onFocusOut={({ relatedTarget }) => {
        if (relatedTarget && !ref.current?.contains(relatedTarget as Node)) close();
      }}
    >
      <summary class="cnnw-button">{label}</summary>
      <div tabIndex={-1}>{open && children}</div>
    </details>
  );
}
