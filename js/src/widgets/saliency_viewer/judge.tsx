// How far to trust a map: what happens without the pixels it names, and what it cuts out.
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { Choice } from "../../shared/choice";
import { percent } from "../../shared/format";
import { Tabs } from "../../shared/tabs";
import { type Tensor, unpack } from "../../shared/wire";
import { Canvas } from "./canvas";
import { Chart } from "./chart";
import { title } from "./describe";
import { NoiseSheet } from "./noise";
import { drawBare, drawCut } from "./paint";
import { type State, useViewer } from "./state";
import { Task } from "./task";
import type { Judged } from "./types";
import type { View } from "./views";

const NO_MAP = "No map is there yet: run one first.";

/** The maps that can be judged. */
const judgeable = ({ views }: State): View[] =>
  views.value.filter(({ values, less }) => values && less === undefined);

const named = (state: State, views: readonly View[]) =>
  views.map((view) => [view.id, title(state, view)] as const);

/** Was this made of a map, or with looks, that have changed? */
function isOld(
  { reduction, part, maps }: State,
  judged: Pick<Judged, "reduction" | "part">,
  of: readonly { id: string; version: number }[],
) {
  const same = of.every(({ id, version }) =>
    maps.value.some((one) => one.id === id && one.version === version),
  );
  return !same || judged.reduction !== reduction.value || judged.part !== part.value;
}

const Old = () => (
  <p class="cnnw-note cnnw-sv-old" role="status">
    The map has changed since; compute it again.
  </p>
);

function Curves() {
  const state = useViewer();
  const { curves } = state;
  const views = judgeable(state);
  const options = named(state, views);
  const picked = useSignal<readonly [string?, string?]>([]);
  const ids = [0, 1].map((i) => {
    const chosen = views.find(({ id }) => id === picked.value[i]) ?? views[i] ?? views[0];
    return chosen?.id ?? "";
  }) as [string, string];
  return (
    <>
      <div class="cnnw-sv-row">
        {(["First map", "Second map"] as const).map((label, i) => (
          <Choice
            key={label}
            label={label}
            value={ids[i] as string}
            options={options}
            disabled={!views.length && NO_MAP}
            onChange={(id) => (picked.value = i ? [ids[0], id] : [id, ids[1]])}
          />
        ))}
        <Task
          label="Compute curves"
          name="curves"
          args={{ ids: [...new Set(ids)] }}
          disabled={!views.length}
        />
      </div>
      <p class="cnnw-note">
        Pixels give way to the mean colour, or come back into a blurred picture, the map's highest
        first. The better map makes the score fall, or rise, earlier (Petsiuk et al. 2018).
      </p>
      {curves.value && <CurveCharts judged={curves.value} />}
    </>
  );
}

function CurveCharts({ judged }: { judged: Judged }) {
  const state = useViewer();
  const { fractions, maps, measure, target } = judged;
  const nameOf = (id: string) => {
    const [method, index, model] = id.split(":");
    const of = state.methods.value.find(({ key }) => key === method)?.label ?? method;
    return `${of}: ${model === "random" ? "random weights" : state.classes.value[Number(index)]}`;
  };
  const lines = (kind: "deletion" | "insertion") =>
    maps.map((one) => ({ name: nameOf(one.id), ...one[kind] }));
  const common = {
    y: state.single.value ? "score" : `${measure} of ${target}`,
    fractions,
    probability: measure === "probability",
  };
  return (
    <>
      <div class="cnnw-sv-charts">
        <Chart
          title="Deletion: less area is better"
          x="pixels taken away (%)"
          lines={lines("deletion")}
          {...common}
        />
        <Chart
          title="Insertion: more area is better"
          x="pixels put in (%)"
          lines={lines("insertion")}
          {...common}
        />
      </div>
      <p class="cnnw-note">Areas by {fractions.length - 1} steps.</p>
      {isOld(state, judged, maps) && <Old />}
    </>
  );
}

function CutOut() {
  const state = useViewer();
  const { cut, pixels } = state;
  const views = judgeable(state);
  const picked = useSignal<string | undefined>(undefined);
  const id = (views.find((one) => one.id === picked.value) ?? views[0])?.id ?? "";
  const mask = useMemo<Tensor | null>(() => cut.value && unpack(cut.value.mask), [cut.value]);
  return (
    <>
      <div class="cnnw-sv-row">
        <Choice
          label="Map"
          value={id}
          options={named(state, views)}
          disabled={!views.length && NO_MAP}
          onChange={(one) => (picked.value = one)}
        />
        <Task label="Cut out" name="cut" args={{ id }} disabled={!views.length} />
      </div>
      <p class="cnnw-note">
        GrabCut takes what is above the map's 95th percentile as the object, below the 30th as
        background, and decides on the rest by colour.
      </p>
      {mask && cut.value && (
        <>
          <div class="cnnw-sv-cut" data-share={cut.value.share}>
            <figure>
              <figcaption>Foreground mask: {percent(cut.value.share)} of the picture</figcaption>
              <Canvas label="Foreground mask" draw={(canvas) => drawBare(canvas, mask)} />
            </figure>
            <figure>
              <figcaption>Cut-out</figcaption>
              <Canvas label="Cut-out" draw={(canvas) => drawCut(canvas, pixels.value, mask)} />
            </figure>
          </div>
          {isOld(state, cut.value, [cut.value]) && <Old />}
        </>
      )}
    </>
  );
}

const TABS = [
  { key: "curves", label: "Deletion and insertion" },
  { key: "cut", label: "Cut-out" },
  { key: "noise", label: "Noise × samples" },
] as const;

export function Judge() {
  const tab = useSignal<(typeof TABS)[number]["key"]>("curves");
  return (
    <div class="cnnw-sv-judge">
      <Tabs
        label="How far to trust it"
        tabs={TABS}
        selected={tab.value}
        onSelect={(key) => (tab.value = key)}
      />
      <div role="tabpanel" aria-label="How far to trust it">
        {tab.value === "curves" && <Curves />}
        {tab.value === "cut" && <CutOut />}
        {tab.value === "noise" && <NoiseSheet />}
      </div>
    </div>
  );
}
