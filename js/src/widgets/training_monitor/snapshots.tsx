// The network as it was at the snapshot nearest to the chosen step: filters, feature maps, predictions.
import { useEffect, useMemo } from "preact/hooks";
import { count } from "../../shared/format";
import { Choice, LayerChoice } from "./choice";
import type { Wanted, What } from "./held_maps";
import { MapTiles } from "./map_tiles";
import { Probe } from "./probe";
import { nearest } from "./sorted";
import { useMonitor } from "./state";
import type { Run } from "./types";
import { layerOf } from "./walking";

const WHAT: readonly (readonly [What, string])[] = [
  ["maps", "feature maps"],
  ["gradients", "gradients of the maps"],
  ["filters", "filters"],
];

/** Can a run's snapshots show it? */
const offers = ({ probe, snapshots }: Run, what: What): boolean =>
  what === "filters" ? snapshots.kind !== "maps" && snapshots.kind !== null : probe > 0;

/** What is to be said where something was not recorded. */
function lacks(run: Run): string {
  if (!run.snapshots.steps.length)
    return "No snapshots yet: Recorder(model, snapshots=64) takes them while it trains.";
  if (!run.probe)
    return "Without probe pictures there are filters alone: Recorder(model, probe=pictures) also records feature maps and predictions.";
  return offers(run, "filters")
    ? ""
    : "Snapshots hold no weights: they would not fit their budget.";
}

export function Snapshots() {
  const { run } = useMonitor();
  const said = run.value ? lacks(run.value) : "No run yet.";
  return (
    <section class="cnnw-tm-part" aria-label="Snapshots">
      {run.value?.snapshots.steps.length ? (
        <Snapshot run={run.value} />
      ) : (
        <header>
          <h3>Snapshots</h3>
        </header>
      )}
      {said && <p class="cnnw-tm-note">{said}</p>}
    </section>
  );
}

function Snapshot({ run }: { run: Run }) {
  const state = useMonitor();
  const { step, pinned, maps } = state;
  const { what: asked, picture } = state.looks;
  const what = [asked.value, ...WHAT.map(([key]) => key)].find((key) => offers(run, key));
  const layer = layerOf(state);
  const { steps } = run.snapshots;
  const at = steps[nearest(steps, step.value)] as number;
  const pin = pinned.value === null ? undefined : steps[nearest(steps, pinned.value)];
  const chosen = Math.min(picture.value, Math.max(0, run.probe - 1));
  const wanted = useMemo(
    (): Wanted | undefined => what && { run: run.id, layer, what, picture: chosen },
    [run.id, layer, what, chosen],
  );
  useEffect(() => {
    if (wanted && layer) maps.fetch(wanted, steps, pin === undefined ? [at] : [at, pin]);
  }, [wanted, steps, at, pin]);
  return (
    <>
      <header>
        <h3>
          Snapshot of step {count(at)}
          {at !== step.value && <small> nearest to {count(step.value)}</small>}
        </h3>
        <div class="cnnw-tm-tools">
          <LayerChoice />
          {what && (
            <Choice
              label="Show"
              value={what}
              options={WHAT}
              offers={(key) => offers(run, key)}
              onChange={(key) => (asked.value = key)}
            />
          )}
        </div>
      </header>
      <div class="cnnw-tm-snapshot">
        {wanted && layer && <MapTiles {...{ wanted, at, pin, steps }} />}
        {run.probe > 0 && <Probe {...{ run, at, pin }} />}
      </div>
    </>
  );
}
