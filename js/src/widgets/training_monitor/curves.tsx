// Everything that was logged, as live charts.
import { useMemo } from "preact/hooks";
import { Button } from "../../shared/button";
import { Choice } from "../../shared/choice";
import { Slider } from "../../shared/slider";
import { Chart } from "./chart";
import type { Domain } from "./drawing";
import { type Group, groupsOf } from "./groups";
import { type Line, linesOf, type Source } from "./lines";
import { useMonitor } from "./state";
import type { Clock } from "./types";

const CLOCKS: readonly (readonly [Clock, string])[] = [
  ["step", "step"],
  ["epoch", "epoch"],
  ["seconds", "time"],
];

type Named = Source & { name: string };

/** The lines of a group, computed anew only when one of its curves has changed. */
function useLines(group: Group<Named>): readonly Line[] {
  const { smoothing, runs } = useMonitor();
  const alone = runs.value.length === 1;
  const given = group.curves.flatMap(({ curve: { run, curve, hands } }) => [
    run.name,
    curve,
    hands,
  ]);
  return useMemo(() => linesOf(group, smoothing.value, alone), [smoothing.value, alone, ...given]);
}

function GroupChart({ group, domain }: { group: Group<Named>; domain: Domain }) {
  const lines = useLines(group);
  return <Chart title={group.title} unit={group.unit} lines={lines} domain={domain} />;
}

function Controls() {
  const { smoothing, log_y, x, zoom, clocks } = useMonitor();
  return (
    <div class="cnnw-tm-row">
      <Slider label="Smoothing" of={smoothing} min={0} max={0.99} step={0.01} />
      <label>
        <input
          type="checkbox"
          checked={log_y.value}
          onChange={({ currentTarget }) => {
            log_y.value = currentTarget.checked;
          }}
        />
        <span>Log axis</span>
      </label>
      <Choice
        label="Over"
        value={x.value}
        options={CLOCKS}
        offers={(clock) => clocks.value.includes(clock)}
        onChange={(clock) => {
          zoom.value = null;
          x.value = clock;
        }}
      />
      <Button
        disabled={!zoom.value}
        title="Zoom: drag over a chart, or press + and − in it; double-click or Escape: all of it"
        onClick={() => {
          zoom.value = null;
        }}
      >
        Reset zoom
      </Button>
    </div>
  );
}

/** First and last place of all curves. */
function extent(sources: readonly Source[]): Domain {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { hands, curve } of sources) {
    const { steps } = curve;
    if (!steps.length) continue;
    from = Math.min(from, hands.at(steps[0] as number));
    to = Math.max(to, hands.at(steps[steps.length - 1] as number));
  }
  return from < to ? [from, to] : Number.isFinite(from) ? [from - 0.5, from + 0.5] : [0, 1];
}

export function Curves() {
  const { sources, zoom } = useMonitor();
  const groups = useMemo(() => groupsOf(sources.value), [sources.value]);
  const whole = useMemo(() => extent(sources.value), [sources.value]);
  return (
    <div class="cnnw-tm-curves">
      {groups.length ? <Controls /> : <p class="cnnw-tm-empty">No curves were logged.</p>}
      <div class="cnnw-tm-charts">
        {groups.map((group) => (
          <GroupChart key={group.title} group={group} domain={zoom.value ?? whole} />
        ))}
      </div>
    </div>
  );
}
