// Findings on a chart, above the curve that they are about.

import { PlainButton } from "../../shared/button";
import { explained } from "./describe";
import type { Domain } from "./drawing";
import { useMonitor } from "./state";

/** Findings about gradients stand on their chart; all others on the loss. */
const chartOf = (kind: string) => (/gradient/.test(kind) ? "gradient norm" : "loss");

export function FindingMarks({ title, domain: [from, to] }: { title: string; domain: Domain }) {
  const state = useMonitor();
  const lower = title.toLowerCase();
  const charts = state.charts.value;
  const about = (kind: string) => (charts.includes(chartOf(kind)) ? chartOf(kind) : charts[0]);
  return (
    <>
      {state.shown.value.flatMap((run) => {
        const at = state.handsOf(run.id)?.at;
        return run.findings.flatMap((finding, i) => {
          const share = at ? (at(finding.step) - from) / (to - from || 1) : -1;
          if (about(finding.kind) !== lower || share < 0 || share > 1) return [];
          return (
            <PlainButton
              key={`${run.id} ${i}`}
              tabIndex={-1}
              class="cnnw-tm-mark"
              data-severity={finding.severity}
              style={{ left: `${100 * share}%` }}
              title={explained(finding)}
              aria-label={explained(finding)}
              onPointerDown={(event) => event.stopPropagation()}
              onDblClick={(event) => event.stopPropagation()}
              onClick={() => state.visit(run, finding)}
            />
          );
        });
      })}
    </>
  );
}
