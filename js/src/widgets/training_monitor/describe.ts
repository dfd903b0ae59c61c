// Numbers and things in words.
import { count, number } from "../../shared/format";
import { duration } from "./clock";
import type { Clock, Finding } from "./types";

/** A place on the horizontal axis. */
export const WHERE: Record<Clock, (x: number) => string> = {
  step: (x) => `step ${count(Math.round(x))}`,
  epoch: (x) => `epoch ${number(x, 3)}`,
  seconds: duration,
};

export const TICK: Record<Clock, (x: number) => string> = {
  step: (x) => count(x),
  epoch: (x) => number(x),
  seconds: duration,
};

export const SEVERITY: Record<Finding["severity"], string> = {
  error: "Error",
  warning: "Warning",
  mark: "Mark",
};

/** Where a finding is: "step 60, conv2". */
export const placeOf = ({ step, layer }: Finding): string =>
  `step ${count(step)}${layer ? `, ${layer}` : ""}`;

export const evidenceOf = ({ evidence }: Finding): string =>
  Object.entries(evidence)
    .map(([name, value]) => `${name} ${number(value ?? Number.NaN)}`)
    .join(", ");

/** All of a finding in one text. */
export const explained = (finding: Finding): string => {
  const evidence = evidenceOf(finding);
  const head = `${SEVERITY[finding.severity]}: ${finding.kind}, ${placeOf(finding)}`;
  return `${head}${evidence && ` (${evidence})`}. ${finding.message}`;
};
