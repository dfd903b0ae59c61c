// The network as it was at the snapshot nearest to the chosen step: filters, feature maps, predictions.
import { useEffect, useMemo } from "preact/hooks";
import { Choice } from "../../shared/choice";
import { LayerChoice } from "./choice";
import type { Wanted, What } from "./held_maps";
import { MapTiles } from "./map_tiles";
import { Probe, useProbe } from "./probe";
import { Recorded } from "./recorded";
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
    return `${run.live ? "No snapshots yet" : "This run has no snapshots"}: Recorder(model, snapshots=64) takes them while it trains.`;
  if (!run.probe)
    return "Without probe pictures there are filters alone: Recorder(model, probe=pictures) also records feature maps and predictions.";
  return offers(run, "filters")
    ? ""
    : "Snapshots hold no weights: they would not fit their budget.";
}

/** Which snapshots are looked at, and what of them; undefined where there are none. */
function useSnapshot() {
  const state = useMonitor();
  const { step, pinned, looks } = state;
  const run = state.run.value;
  const layer = layerOf(state);
  const steps = run?.snapshots.steps ?? [];
  const what = [looks.what.value, ...WHAT.map(([key]) => key)].find(
    (key) => run && offers(run, key),
  );
  const picture = Math.min(looks.picture.value, Math.max(0, (run?.probe ?? 0) - 1));
  const id = run?.id;
  const wanted = useMemo(
    (): Wanted | undefined =>
      id !== undefined && layer && what ? { run: id, layer, what, picture } : undefined,
    [id, layer, what, picture],
  );
  const at = steps[nearest(steps, step.value)];
  const pin = pinned.value === null ? undefined : steps[nearest(steps, pinned.value)];
  return { run, steps, what, wanted, at, pin };
}

/** Fetches what may be looked at, before it is: the kernel may end, and scrubbing is to be smooth. */
export function Ahead() {
  const { maps } = useMonitor();
  const { run, steps, wanted, at, pin } = useSnapshot();
  useEffect(() => {
    if (wanted && at !== undefined) maps.fetch(wanted, steps, pin === undefined ? [at] : [at, pin]);
  }, [wanted, steps, at, pin]);
  return run?.probe && steps.length ? <ProbeAhead run={run} /> : null;
}

function ProbeAhead({ run }: { run: Run }) {
  useProbe(run);
  return null;
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
  const { looks } = useMonitor();
  const { steps, what, wanted, at = 0, pin } = useSnapshot();
  return (
    <>
      <header>
        <h3>
          Snapshot of <Recorded steps={steps} row={steps.indexOf(at)} />
        </h3>
        <div class="cnnw-tm-tools">
          <LayerChoice />
          {what && (
            <Choice
              label="Show"
              value={what}
              options={WHAT}
              offers={(key) => offers(run, key)}
              onChange={(key) => (looks.what.value = key)}
            />
          )}
        </div>
      </header>
      <div class="cnnw-tm-snapshot">
        {wanted && <MapTiles {...{ wanted, at, pin, steps }} />}
        {run.probe > 0 && <Probe {...{ run, at, pin }} />}
      </div>
    </>
  );
}
