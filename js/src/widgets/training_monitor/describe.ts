// Numbers and things in words.
import { count, number } from "../../shared/format";
import { roundTicks, type Tick, tickPlaces } from "./axis";
import { duration } from "./clock";
import type { Clock, Finding } from "./types";

/** A place on the horizontal axis. */
export const WHERE: Record<Clock, (x: number) => string> = {
  step: (x) => `step ${count(Math.round(x))}`,
  epoch: (x) => `epoch ${number(x, 3)}`,
  seconds: (x) => (x < 60 ? `${number(Math.round(10 * x) / 10)} s` : duration(x)),
};

const TICK: Record<Clock, (x: number, digits: number) => string> = {
  step: count,
  epoch: number,
  seconds: (x, digits) => `${number(x, digits)} s`,
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
  if (clock !== "seconds" || to < 60)
    return roundTicks(from, to, most, TICK[clock], clock === "step");
  const { places } = tickPlaces([from, to], most, ROUND);
  return places.map((at) => ({ at, text: duration(at) }));
}

export const SEVERITY: Record<Finding["severity"], string> = {
  error: "Error",
  warning: "Warning",
  mark: "Mark",
};

/** Where a finding is: "step 60, conv2", "step 60, layer 0". */
export const placeOf = ({ step, layer }: Finding): string =>
  `step ${count(step)}${layer ? `, ${layer.replace(/^\d/, "layer $&")}` : ""}`;

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
