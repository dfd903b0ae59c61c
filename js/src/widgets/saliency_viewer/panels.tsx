// The picture and its maps, side by side; a pixel that is pointed at is read in all of them.
import { signal } from "@preact/signals";
import { useCallback, useMemo } from "preact/hooks";
import { Banner } from "../../shared/banner";
import { count } from "../../shared/format";
import { Legend } from "../../shared/legend";
import { mixed } from "../../shared/mixing";
import { Player } from "../../shared/player";
import type { Played } from "../../shared/playing";
import { alike, caption, headings, KEYS, POINT, placeOf, reading, remark } from "./describe";
import { drawBare, drawOver } from "./paint";
import { Stage } from "./stage";
import { useViewer } from "./state";
import type { View } from "./views";

const Heading = ({ lines }: { lines: [string, string] }) => (
  <h4>
    {lines[0]}
    <small>{lines[1]}</small>
  </h4>
);

function PictureTile() {
  const state = useViewer();
  const { picture, pixels, size, cursor } = state;
  const draw = useCallback((canvas: HTMLCanvasElement) => drawBare(canvas, pixels.value), [pixels]);
  const at = cursor.value;
  const depth = pixels.value.shape[2] ?? 1;
  const from = at ? (at[0] * size.value.width + at[1]) * depth : 0;
  const level = [...pixels.value.data.subarray(from, from + depth)].join(", ");
  return (
    <article class="cnnw-sv-tile" data-id="picture">
      <Heading lines={[picture.value.name, `${size.value.height} × ${size.value.width} pixels`]} />
      <Stage
        label={`Picture ${picture.value.name}`}
        draw={draw}
        readout={at ? `${placeOf(at)}: ${level} of 255` : POINT}
      />
    </article>
  );
}

/** Stages of a map that are played in a second. */
const STAGES_PER_SECOND = 8;

/** A map as it was after fewer passes. */
function Stages({ of, done }: { of: string; done: number[] }) {
  const { held } = useViewer();
  const last = done.length - 1;
  const played = useMemo(
    (): Played => ({
      range: () => [0, last],
      at: () => held.at(of) ?? last,
      playing: signal(false),
      pace: () => STAGES_PER_SECOND,
      go: (to) => held.look(of, to < last ? Math.floor(to) : undefined),
    }),
    [of, last],
  );
  return <Player label="Passes" played={played} format={(at) => count(done[at] ?? 0)} />;
}

function MapTile({ view }: { view: View }) {
  const state = useViewer();
  const { pixels, size, overlay, cursor } = state;
  const { values, scale, made, similarity } = view;
  const { low, high, table } = scale;
  const draw = useCallback(
    (canvas: HTMLCanvasElement) => {
      if (values) drawOver(canvas, pixels.value, values, { low, high, table }, overlay.value);
      else drawBare(canvas, pixels.value);
    },
    [values, low, high, table, pixels, overlay],
  );
  const at = cursor.value;
  const value = at && values?.[at[0] * size.value.width + at[1]];
  const lines = headings(state, view);
  const name = lines.join(": ");
  const said = remark(state, view);
  const stages = made && view.less === undefined && state.held.stages(made);
  return (
    <article
      class="cnnw-sv-tile"
      aria-label={name}
      data-id={view.id}
      data-state={view.state}
      data-done={made?.done}
      data-value={value ?? undefined}
      data-similarity={similarity?.sizes}
      data-signed={similarity?.signed}
      data-high={high}
    >
      <Heading lines={lines} />
      <Stage label={`Map ${name}`} draw={draw} readout={reading(state, view)} />
      {values && (
        <Legend
          scale={scale}
          caption={caption(state, view)}
          bar={mixed(scale.table, state.overlay.value)}
        />
      )}
      {stages && stages.done.length > 1 && <Stages of={view.id} done={stages.done} />}
      {said && <p class={`cnnw-note cnnw-sv-${view.state}`}>{said}</p>}
      {made?.note && view.less === undefined && <Banner kind="warning">{made.note}</Banner>}
      {similarity && <p class="cnnw-note">{alike(similarity)}</p>}
    </article>
  );
}

/** A row for each method if some have several maps; else one map after another. */
export function Panels() {
  const { views } = useViewer();
  const methods = [...new Set(views.value.map(({ asked }) => asked.method))];
  const many = views.value.length / methods.length;
  return (
    <div>
      <div class="cnnw-sv-panels" data-rows={many > 1} style={{ "--cnnw-maps": many }}>
        <PictureTile />
        {methods.map((method) => (
          <div key={method} class="cnnw-sv-method">
            {views.value
              .filter(({ asked }) => asked.method === method)
              .map((view) => (
                <MapTile key={view.id} view={view} />
              ))}
          </div>
        ))}
      </div>
      <p class="cnnw-note cnnw-sv-keys">{KEYS}</p>
    </div>
  );
}
