// The pictures of one step, each with what it is, its score, and what the network says of it.
import { useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "../../shared/button";
import { drawPicture } from "../../shared/canvas";
import { count } from "../../shared/format";
import type { Tensor } from "../../shared/wire";
import { colourOf } from "./curve";
import { answerWords, measured, subjectOf } from "./describe";
import { type Film, pictureOf, type Still } from "./film";
import { phaseOf, type State, useAscent } from "./state";
import type { Panel } from "./types";

/** Pictures up to this edge are shown with square pixels. */
const SMALL = 160;

function Picture({ picture }: { picture: Tensor }) {
  const ref = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => drawPicture(ref.current as HTMLCanvasElement, picture), [picture.data]);
  const [height = 1, width = 1] = picture.shape;
  const imageRendering = Math.max(height, width) > SMALL ? "auto" : "pixelated";
  return <canvas ref={ref} style={{ aspectRatio: width / height, imageRendering }} />;
}

interface TileProps {
  film: Film;
  still: Still;
  panel: Panel;
  index: number;
}

/** Why the picture does not move, and since when the network names it. */
function Remarks({ film, panel, index }: TileProps) {
  const { classes } = useAscent();
  const subject = subjectOf(panel.objective, classes.value);
  const first = subject.kind === "class" ? film.firstOf(index, subject.index) : null;
  const note = film.notes[index];
  return (
    <>
      {first !== null && <small data-first={first}>first its answer at step {count(first)}</small>}
      {note && <p class="cnnw-ga-note">{note.charAt(0).toUpperCase() + note.slice(1)}.</p>}
    </>
  );
}

function Tile(p: TileProps) {
  const { film, still, panel, index } = p;
  const { enlarged, pointed } = useAscent();
  const many = film.panels.length > 1;
  const score = measured(film.score(still.step, index));
  const says = answerWords(still.predictions[index], still.complement[index]);
  const alone = enlarged.value === panel.id;
  const told = `${panel.label}, step ${count(still.step)}: score ${score}${says && `; the network says ${says}`}`;
  return (
    <article
      data-panel={panel.id}
      data-step={still.step}
      data-score={film.score(still.step, index)}
      data-answer={still.predictions[index]?.name}
      onPointerEnter={() => (pointed.value = panel.id)}
      onPointerLeave={() => (pointed.value = null)}
    >
      <h4 title={panel.label}>
        {many && <i style={{ background: colourOf(index) }} />}
        {panel.label}
      </h4>
      <button
        type="button"
        aria-label={`${told}. ${alone ? "Show all" : "Enlarge"}`}
        aria-pressed={alone}
        disabled={!many}
        onClick={() => (enlarged.value = alone ? null : panel.id)}
      >
        <Picture picture={pictureOf(still, index)} />
      </button>
      <p>score {score}</p>
      {says && <p title={says}>network: {says}</p>}
      <Remarks {...p} />
    </article>
  );
}

const EMPTY = "No picture yet: pick a unit or a class, then press Run.";

/** What stands where there is no picture. */
function Nothing() {
  const state = useAscent();
  const phase = phaseOf(state);
  const words = phase === "empty" ? EMPTY : "Waiting for the first picture…";
  return (
    <p class="cnnw-ga-nothing" role="status">
      {state.alone.value && phase === "empty" ? "No picture was made." : words}
    </p>
  );
}

/** What is not as the reader may think: other inputs than pictures, pictures not kept, other settings. */
function notes(state: State, film: Film, still: Still): string[] {
  const { shape, shown, frames, changed, going, alone } = state;
  const [channels = 3] = shape.value;
  const missing = frames.missing.value;
  return [
    ...(channels !== 1 && channels !== 3 ? [`Shown: the mean of ${channels} channels.`] : []),
    ...(still.step !== shown.value && shown.value <= film.last
      ? [`Picture of step ${count(still.step)}, the nearest that was kept.`]
      : []),
    ...(missing ? [`${count(missing)} of its pictures are not in this page.`] : []),
    ...(changed.value && !going.value && !alone.value
      ? ["Made with other settings than those chosen now: press Run."]
      : []),
  ];
}

export function Stage() {
  const state = useAscent();
  const { film: held, shown, enlarged } = state;
  const film = held.value;
  film?.version.value;
  const still = film?.near(shown.value);
  if (!film || !still) return <Nothing />;
  const all = film.panels.map((panel, index) => ({ film, still, panel, index }));
  const only = all.filter(({ panel }) => panel.id === enlarged.value);
  const tiles = only.length ? only : all;
  return (
    <>
      <div class="cnnw-ga-stage" data-count={Math.min(tiles.length, 3)}>
        {tiles.map((tile) => (
          <Tile key={tile.panel.id} {...tile} />
        ))}
      </div>
      {only.length > 0 && all.length > 1 && (
        <Button onClick={() => (enlarged.value = null)}>All {count(all.length)} pictures</Button>
      )}
      {notes(state, film, still).map((note) => (
        <p key={note} class="cnnw-note" role="status">
          {note}
        </p>
      ))}
    </>
  );
}
