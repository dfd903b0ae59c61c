// What was found wrong with the runs, and where.

import { PlainButton } from "../../shared/button";
import { evidenceOf, placeOf, SEVERITY } from "./describe";
import { useMonitor } from "./state";
import type { Finding, Run } from "./types";

const RANK = { error: 0, warning: 1, mark: 2 };

interface Found {
  run: Run;
  finding: Finding;
}

/** Of all runs shown: most severe first, then in order of steps. */
const found = (runs: readonly Run[]): Found[] =>
  runs
    .flatMap((run) => run.findings.map((finding) => ({ run, finding })))
    .sort(
      (a, b) =>
        RANK[a.finding.severity] - RANK[b.finding.severity] || a.finding.step - b.finding.step,
    );

/** The first error, which most others follow from; it is told as soon as it is found. */
export function FirstError() {
  const { shown, visit } = useMonitor();
  const [first, ...others] = found(shown.value).filter(
    ({ finding }) => finding.severity === "error",
  );
  return (
    <p class="cnnw-tm-alert" role="status">
      {first && (
        <>
          <PlainButton onClick={() => visit(first.run, first.finding)}>
            {first.run.name}: {first.finding.kind}
          </PlainButton>{" "}
          {placeOf(first.finding)}. {first.finding.message}
          {others.length > 0 && <small> {others.length} more under Findings</small>}
        </>
      )}
    </p>
  );
}

function Item({ run, finding }: Found) {
  const state = useMonitor();
  const evidence = evidenceOf(finding);
  return (
    <li data-severity={finding.severity}>
      <PlainButton onClick={() => state.visit(run, finding)}>
        {SEVERITY[finding.severity]}: {finding.kind}
      </PlainButton>
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

export function Findings() {
  const { shown } = useMonitor();
  const all = found(shown.value);
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
