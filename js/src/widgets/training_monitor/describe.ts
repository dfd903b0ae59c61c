// Numbers and things in words.
import { count, number } from "../../shared/format";
import { roundTicks, type Tick } from "./axis";
import { duration } from "./clock";
import type { Clock, Finding } from "./types";

/** A place on the horizontal axis. */
export const WHERE: Record<Clock, (x: number) => string> = {
  step: (x) => `step ${count(Math.round(x))}`,
  epoch: (x) => `epoch ${number(x, 3)}`,
  seconds: duration,
};

const TICK: Record<Clock, (x: number) => string> = {
  step: count,
  epoch: number,
  seconds: duration,
};
/** Round times: seconds, minutes, hours. */
const ROUND = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 18_000, 36_000, 86_400,
];

/** Round places along the horizontal axis. */
export function placesOf(
  clock: Clock,
  [from, to]: readonly [number, number],
  most: number,
): Tick[] {
  const whole = clock === "step" ? Math.min(most, to - from) : most;
  const apart = ROUND.find((one) => one * most >= to - from);
  if (clock !== "seconds" || !apart || to - from < most)
    return roundTicks(from, to, whole, TICK[clock]);
  const first = Math.ceil(from / apart);
  return Array.from({ length: Math.floor(to / apart) - first + 1 }, (_, i) => {
    const at = (first + i) * apart;
    return { at, text: duration(at) };
  });
}

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
