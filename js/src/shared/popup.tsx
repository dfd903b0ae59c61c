import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { handled } from "./keys";
import "./popup.css";

interface PopupProps {
  label: string;
  /** What is in it: made while it is open, and let go of with its elements once it is closed. */
  children: () => ComponentChildren;
}

/**
 * A button that opens a small panel over what follows; Escape, leaving it, or a press beside it closes it. A click on
 * its margin leaves the focus in it.
 */
export function Popup({ label, children }: PopupProps) {
  const ref = useRef<HTMLDetailsElement>(null);
  const [open, setOpen] = useState(false);
  const close = () => {
    if (ref.current) ref.current.open = false;
  };
  useLayoutEffect(() => {
    if (!open) return;
    const closed = new AbortController();
    const press = (event: Event) => {
      if (!event.composedPath().includes(ref.current as Node)) close();
    };
    addEventListener("pointerdown", press, { capture: true, signal: closed.signal });
    return () => closed.abort();
  }, [open]);
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
      <div tabIndex={-1}>{open && children()}</div>
    </details>
  );
}
