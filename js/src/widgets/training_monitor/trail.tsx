// The loss along the scrub bar, so that it is in sight whatever is looked at.
import { useMemo } from "preact/hooks";
import { breaksOf, leftOut, scaleOf, share } from "./drawing";
import { useMonitor } from "./state";
import type { Curve } from "./types";

export const TRAIL = 20;

/** The loss, or else the first thing that was logged. */
const told = (curves: readonly Curve[]): Curve | undefined =>
  curves.find(({ name }) => name === "loss") ?? curves.find(({ name }) => name !== "epoch");

interface TrailProps {
  width: number;
  first: number;
  last: number;
}

/** As many of its points as there is room for, joined by straight lines; a gap where there is one. */
function pathOf(
  { steps, values }: Curve,
  { width, first, last }: TrailProps,
  log: boolean,
): string {
  const apart = Math.max(1, Math.ceil(steps.length / Math.max(1, width)));
  const x = steps.filter((_, i) => i % apart === 0);
  const y = values.filter((_, i) => i % apart === 0);
  const scale = scaleOf(
    [{ x, y, steps: x, color: "", dash: [], faint: false }],
    [first, last],
    log,
  );
  const breaks = breaksOf(x);
  let pen = "M";
  return Array.from(y, (value, i) => {
    if (breaks(i)) pen = "M";
    if (leftOut(value, log)) {
      pen = "M";
      return "";
    }
    const up = Math.min(1, Math.max(0, share(scale, value)));
    const across = (width * ((x[i] as number) - first)) / (last - first || 1);
    const point = `${pen}${across.toFixed(1)} ${(TRAIL * (1 - up)).toFixed(1)}`;
    pen = "L";
    return point;
  }).join("");
}

export function Trail(props: TrailProps) {
  const { run, store, log_y, colorOf } = useMonitor();
  const curve = run.value && told(store.of(run.value.id)?.curves ?? []);
  const log = log_y.value;
  const path = useMemo(
    () => (curve ? pathOf(curve, props, log) : ""),
    [curve, props.width, props.first, props.last, log],
  );
  return run.value ? <path class="cnnw-tm-trail" stroke={colorOf(run.value.id)} d={path} /> : null;
}
