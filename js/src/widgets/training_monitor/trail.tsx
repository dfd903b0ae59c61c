// The loss along the scrub bar, so that it is in sight whatever is looked at.
import { useMemo } from "preact/hooks";
import { leftOut, scaleOf, share } from "./drawing";
import { nearest } from "./sorted";
import { useMonitor } from "./state";
import type { Curve } from "./types";

export const TRAIL = 20;

/** The loss, or else the first thing that was logged. */
const told = (curves: readonly Curve[]): Curve | undefined =>
  curves.find(({ name }) => name === "loss") ?? curves.find(({ name }) => name !== "epoch");

/** Its values at the stops of the scrub bar, joined by straight lines; a gap where one is not finite. */
function pathOf(curve: Curve, stops: readonly number[], width: number, log: boolean): string {
  const y = stops.map((step) => curve.values[nearest(curve.steps, step)] as number);
  const last = Math.max(1, stops.length - 1);
  const x = stops.map((_, i) => (width * i) / last);
  const scale = scaleOf([{ x, y, color: "", dash: [], faint: false }], [0, width], log);
  let pen = "M";
  return y
    .map((value, i) => {
      if (leftOut(value, log)) {
        pen = "M";
        return "";
      }
      const up = Math.min(1, Math.max(0, share(scale, value)));
      const point = `${pen}${(x[i] as number).toFixed(1)} ${(TRAIL * (1 - up)).toFixed(1)}`;
      pen = "L";
      return point;
    })
    .join("");
}

export function Trail({ width }: { width: number }) {
  const { run, store, stops, log_y, colorOf } = useMonitor();
  const curve = run.value && told(store.of(run.value.id)?.curves ?? []);
  const log = log_y.value;
  const path = useMemo(
    () => (curve ? pathOf(curve, stops.value, width, log) : ""),
    [curve, stops.value, width, log],
  );
  return run.value ? <path class="cnnw-tm-trail" stroke={colorOf(run.value.id)} d={path} /> : null;
}
