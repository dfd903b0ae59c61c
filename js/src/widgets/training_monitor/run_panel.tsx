// The figures of one run, beside or above those of the others.
import type { ComponentChildren } from "preact";
import { useMonitor } from "./state";
import type { Run } from "./types";

interface RunPanelProps {
  run: Run;
  /** Is it one of several, and to be named? */
  several: boolean;
  children: ComponentChildren;
}

export function RunPanel({ run: { id, name }, several, children }: RunPanelProps) {
  const { colorOf } = useMonitor();
  return (
    <article aria-label={name} style={{ "--cnnw-run": colorOf(id) }}>
      {several && (
        <h4>
          <i class="cnnw-tm-swatch" />
          {name}
        </h4>
      )}
      {children}
    </article>
  );
}
