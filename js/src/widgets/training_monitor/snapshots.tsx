// The network as it was at the snapshot nearest to the chosen step: filters, feature maps, predictions.
import { useEffect, useMemo } from "preact/hooks";
import { Choice } from "../../shared/choice";
import { count } from "../../shared/format";
import { LayerChoice } from "./choice";
import type { Wanted, What } from "./held_maps";
import { Logged } from "./logged";
import { MapTiles } from "./map_tiles";
import { Probe, useProbe } from "./probe";
import { Recorded } from "./recorded";
import { nearest } from "./sorted";
import { type State, useMonitor } from "./state";
import type { Run } from "./types";
import { layerOf } from "./walking";
import { whyNoFilters, whyNone } from "./weight_rows";

const WHAT: readonly (readonly [What, string])[] = [
  ["maps", "feature maps"],
  ["gradients", "gradients of the maps"],
  ["filters", "filters"],
  ["images", "logged pictures"],
];

/** Do a run's snapshots hold filters? */
const haveFilters = ({ snapshots: { kind } }: Run): boolean => kind !== "maps" && kind !== null;

/** Can it be shown of a layer of a run? */
function offers(run: Run, layer: string, what: What): boolean {
  if (what === "images") return tagsOf(run).length > 0;
  return what === "filters" ? haveFilters(run) && !whyNoFilters(run, layer) : run.probe > 0;
}

const tagsOf = ({ images = {} }: Run): string[] => Object.keys(images);

/** What a run has, where it has no snapshots. */
function holds({ id, keys, layers, images = {} }: Run, { store }: State): string {
  const what = [
    ...(store.of(id)?.curves.length ? ["curves"] : []),
    ...(keys.length
      ? [`histograms of ${count(layers.length)} layer${layers.length > 1 ? "s" : ""}`]
      : []),
    ...(Object.keys(images).length ? ["the pictures that were logged"] : []),
  ];
  return what.join(", ").replace(/, (?=[^,]*$)/, " and ");
}

/** What is to be said where something was not recorded. */
function lacks(run: Run, state: State): string {
  const layer = layerOf(state);
  if (!run.snapshots.steps.length)
    return run.live
      ? "No snapshots yet: Recorder(model, snapshots=64) takes them while it trains."
      : `This run has no snapshots of the network; it holds ${holds(run, state)}.`;
  if (!run.probe)
    return [
      whyNoFilters(run, layer) && `${whyNoFilters(run, layer)}. `,
      "Without probe pictures there are filters alone: Recorder(model, probe=pictures) also records feature maps and predictions.",
    ].join("");
  return haveFilters(run) ? "" : "Snapshots hold no weights: they would not fit their budget.";
}

/** Which snapshots are looked at, and what of them; undefined where there are none. */
function useSnapshot() {
  const state = useMonitor();
  const { step, pinned, looks } = state;
  const run = state.run.value;
  const layer = layerOf(state);
  const what = [looks.what.value, ...WHAT.map(([key]) => key)].find(
    (key) => run && offers(run, layer, key),
  );
  const tags = run && what === "images" ? tagsOf(run) : [];
  const tag = tags.includes(looks.tag.value) ? looks.tag.value : tags[0];
  const steps = (tag === undefined ? run?.snapshots.steps : run?.images?.[tag]) ?? [];
  const picture = Math.min(looks.picture.value, Math.max(0, (run?.probe ?? 0) - 1));
  const id = run?.id;
  const of = tag ?? layer;
  const wanted = useMemo(
    (): Wanted | undefined =>
      id !== undefined && of && what ? { run: id, layer: of, what, picture } : undefined,
    [id, of, what, picture],
  );
  const at = steps[nearest(steps, step.value)];
  const pin = pinned.value === null ? undefined : steps[nearest(steps, pinned.value)];
  return { run, steps, what, tags, layer, wanted, at, pin };
}

/** Fetches what may be looked at, before it is: the kernel may end, and scrubbing is to be smooth. */
export function Ahead() {
  const { maps, weights, runs, bridge } = useMonitor();
  const { layer, run, steps, wanted, at, pin } = useSnapshot();
  useEffect(() => {
    if (wanted && at !== undefined) maps.fetch(wanted, steps, pin === undefined ? [at] : [at, pin]);
  }, [wanted, steps, at, pin]);
  useEffect(() => {
    for (const one of runs.value)
      if (layer && !whyNone(one, layer))
        weights.fetch(one.id, layer, one.snapshots.steps.at(-1) ?? -1);
  }, [runs.value, layer, bridge.status.value]);
  return run?.probe && run.snapshots.steps.length ? <ProbeAhead run={run} /> : null;
}

function ProbeAhead({ run }: { run: Run }) {
  useProbe(run);
  return null;
}

export function Snapshots() {
  const state = useMonitor();
  const { run } = state;
  const said = run.value ? lacks(run.value, state) : "No run yet.";
  return (
    <section class="cnnw-tm-part" aria-label="Snapshots">
      {run.value && (run.value.snapshots.steps.length || tagsOf(run.value).length) ? (
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
  const { steps, what, tags, layer, wanted, at = 0, pin } = useSnapshot();
  const why = haveFilters(run) && whyNoFilters(run, layer);
  const options = WHAT.filter(([key]) => key !== "images" || tagsOf(run).length).map(
    ([key, text]) => [key, key === "filters" && why ? why : text] as const,
  );
  return (
    <>
      <header>
        <h3>
          {tags.length ? "Logged picture of " : "Snapshot of "}
          <Recorded steps={steps} row={steps.indexOf(at)} />
        </h3>
        <div class="cnnw-tm-tools">
          {tags.length ? (
            <Choice
              label="Tag"
              value={wanted?.layer ?? ""}
              options={tags.map((tag) => [tag, tag] as const)}
              onChange={(tag) => (looks.tag.value = tag)}
            />
          ) : (
            <LayerChoice />
          )}
          {what && (
            <Choice
              label="Show"
              value={what}
              options={options}
              offers={(key) => offers(run, layer, key)}
              onChange={(key) => (looks.what.value = key)}
            />
          )}
        </div>
      </header>
      <div class="cnnw-tm-snapshot">
        {wanted &&
          (tags.length ? (
            <Logged {...{ wanted, at }} />
          ) : (
            <MapTiles {...{ wanted, at, pin, steps }} />
          ))}
        {run.probe > 0 && <Probe {...{ run, at, pin }} />}
      </div>
    </>
  );
}
