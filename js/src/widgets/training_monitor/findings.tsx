// What was found wrong with the runs, and where.

import { evidenceOf, placeOf, SEVERITY } from "./describe";
import { useMonitor } from "./state";
import type { Finding, Run } from "./types";

const RANK = { error: 0, warning: 1, mark: 2 };

function Item({ run, finding }: { run: Run; finding: Finding }) {
  const state = useMonitor();
  const evidence = evidenceOf(finding);
  return (
    <li data-severity={finding.severity}>
      <i class="cnnw-tm-sign" data-severity={finding.severity} />
      <button type="button" onClick={() => state.visit(run, finding)}>
        {SEVERITY[finding.severity]}: {finding.kind}
      </button>
      <span>
        {state.runs.value.length > 1 && (
          <>
            <i class="cnnw-tm-dot" style={{ background: state.colorOf(run.id) }} /> {run.name},{" "}
          </>
        )}
        {placeOf(finding)}
      </span>
      <p>{finding.message}</p>
      {evidence && <small>{evidence}</small>}
    </li>
  );
}

/** Most severe first, then in order of steps. */
export function Findings() {
  const { shown } = useMonitor();
  const all = shown.value
    .flatMap((run) => run.findings.map((finding) => ({ run, finding })))
    .sort(
      (a, b) =>
        RANK[a.finding.severity] - RANK[b.finding.severity] || a.finding.step - b.finding.step,
    );
  if (!all.length) return <p class="cnnw-tm-empty">Nothing wrong was found so far.</p>;
  return (
    <ul class="cnnw-tm-findings" aria-label="Findings">
      {all.map(({ run, finding }) => (
        <Item
          key={`${run.id} ${finding.kind} ${finding.step} ${finding.layer}`}
          run={run}
          finding={finding}
        />
      ))}
    </ul>
  );
}
