// What the map's colours mean, and how strongly they are laid over the picture.
import { count, number, percent } from "../../shared/format";
import { Legend } from "../../shared/legend";
import { Slider } from "../../shared/slider";
import { fillWords } from "./describe";
import type { Shown } from "./map";
import { Choice } from "./settings";
import { useSlider } from "./state";
import type { Shows } from "./sweep";

const SHOWS: readonly Shows[] = ["score", "drop"];

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

export function MapLegend({ map }: { map: Shown }) {
  const { shows, opacity, live, sweep, probe, measure, single } = useSlider();
  const { scale, caption, unit, bare, whole } = map;
  const old = sweep.value?.key !== probe.answer.value.question.key;
  return (
    <div class="cnnw-os-legend">
      <Legend {...{ scale, caption, unit }} />
      <div class="cnnw-os-row">
        <Slider
          label="Map opacity"
          min={0}
          max={1}
          step={0.05}
          value={opacity.value}
          format={percent}
          onInput={(value) => (opacity.value = value)}
        />
        <Choice
          label="Map shows"
          value={shows.value}
          onChange={(at) => (shows.value = SHOWS[at] ?? "score")}
        >
          <option value="score">the {single.value ? "score" : measure.value} with the patch</option>
          <option value="drop">the drop by the patch</option>
        </Choice>
      </div>
      <p class="cnnw-note">
        Without {sweep.value?.kept.length ? "the moving patch" : "a patch"}: {number(bare)}{" "}
        {unit === "points" ? "%" : unit}
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
