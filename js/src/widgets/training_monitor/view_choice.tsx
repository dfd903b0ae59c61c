import { Choice } from "../../shared/choice";
import type { View } from "./looks";
import { useMonitor } from "./state";

const VIEWS: readonly (readonly [View, string])[] = [
  ["heat", "heat map"],
  ["ridges", "ridgeline"],
  ["bands", "distribution bands"],
  ["weights", "heat map of weights"],
];

/** How what was recorded of a layer is drawn over the steps. */
export function ViewChoice() {
  const { view } = useMonitor().looks;
  return <Choice label="View" of={view} options={VIEWS} />;
}
