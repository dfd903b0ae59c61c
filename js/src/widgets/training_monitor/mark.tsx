import { PlainButton } from "../../shared/button";
import { explained } from "./describe";
import { useMonitor } from "./state";
import type { Finding, Run } from "./types";

interface MarkProps {
  run: Run;
  finding: Finding;
  /** Where it stands, as a share of the width. */
  share: number;
}

/** A finding on a chart or on the scrub bar; a press leads to it. */
export function Mark({ run, finding, share }: MarkProps) {
  const { visit } = useMonitor();
  const stop = (event: Event) => event.stopPropagation();
  return (
    <PlainButton
      tabIndex={-1}
      class="cnnw-tm-mark"
      data-severity={finding.severity}
      style={{ left: `${100 * share}%` }}
      title={explained(finding)}
      aria-label={explained(finding)}
      onPointerDown={stop}
      onDblClick={stop}
      onClick={() => visit(run, finding)}
    />
  );
}
