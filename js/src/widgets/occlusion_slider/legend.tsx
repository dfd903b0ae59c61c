// What the map's colours mean, and how strongly they are laid over the picture.
import { Choice } from "../../shared/choice";
import { count, number, percent } from "../../shared/format";
import { Legend } from "../../shared/legend";
import { mixed } from "../../shared/mixing";
import { Slider } from "../../shared/slider";
import { fillWords, measureWords } from "./describe";
import type { Shown } from "./map";
import { useSlider } from "./state";
import type { Shows } from "./sweep";

function Made({ map }: { map: Shown }) {
  const { sweep } = map;
  const { method, share, reason, stride } = sweep;
  const saved = method === "incremental" && share !== null;
  return (
    <p class="cnnw-note">
      {count(sweep.total)} places: window {sweep.window}, stride {stride}, {fillWords(sweep.fill)}
      {saved && `; computed exactly with ${percent(share)} of the arithmetic`}
      {method === "full" && `; by whole passes${reason ? `: ${reason}` : ""}`}
    </p>
  );
}

/** What the mark on the colours is. */
function without({ sweep, bare, untouched, unit }: Shown): string {
  const text = (x: number) => [number(x), unit === "points" ? "%" : unit].join(" ").trim();
  return sweep.kept.length
    ? `Without the moving patch (the mark): ${text(bare)}; untouched picture: ${text(untouched)}`
    : `Without a patch (the mark): ${text(bare)}`;
}

export function MapLegend({ map }: { map: Shown }) {
  const { shows, opacity, live, sweep, probe, measure, measures, single } = useSlider();
  const { scale, caption, unit, mark, whole } = map;
  const score = single.value ? "score" : measureWords(measure.value, measures.value);
  const old = sweep.value?.key !== probe.answer.value.question.key;
  return (
    <div class="cnnw-os-legend">
      <div class="cnnw-os-bar">
        <Legend {...{ scale, caption, unit }} bar={mixed(scale.table, opacity.value)} />
        {Number.isFinite(mark) && <u style={{ left: `${(100 * mark).toFixed(2)}%` }} />}
      </div>
      <div class="cnnw-os-row">
        <Slider label="Map opacity" min={0} max={1} step={0.05} of={opacity} format={percent} />
        <Choice<Shows>
          label="Map shows"
          of={shows}
          options={[
            ["score", `the ${score} with the patch`],
            ["drop", "the drop by the patch"],
          ]}
        />
      </div>
      <p class="cnnw-note">
        {without(map)}
        {!whole && "; what shows no colour is not measured"}
      </p>
      <Made map={map} />
      {!live.value && (
        <p class="cnnw-note cnnw-os-old" role="status">
          {old
            ? "The weights have changed since this sweep; run it again."
            : "The patches have changed since this sweep; run it again for those shown."}
        </p>
      )}
    </div>
  );
}
