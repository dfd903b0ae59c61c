// Findings on a chart, above the curve that they are about.

import type { Domain } from "./drawing";
import { Mark } from "./mark";
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
          return <Mark key={`${run.id} ${i}`} {...{ run, finding, share }} />;
        });
      })}
    </>
  );
}
