// The pictures of one step, each with what it is, its score, and what the network says of it.
import { useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "../../shared/button";
import { drawPicture } from "../../shared/canvas";
import { count } from "../../shared/format";
import type { Tensor } from "../../shared/wire";
import { percentiles, shownWith, stretches } from "./contrast";
import { colourOf } from "./curve";
import {
  answerWords,
  complementWords,
  liveWords,
  measured,
  scoreWords,
  weightWords,
} from "./describe";
import { type Film, pictureOf, type Still } from "./film";
import { phaseOf, type State, useAscent } from "./state";
import type { Note, Panel } from "./types";

/** Pictures up to this edge are shown with square pixels. */
const SMALL = 160;
/** Of so many pictures there is room for long words. */
const FEW = 4;

function Picture({ picture, filter }: { picture: Tensor; filter: string | undefined }) {
  const ref = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => drawPicture(ref.current as HTMLCanvasElement, picture), [picture.data]);
  const [height = 1, width = 1] = picture.shape;
  const imageRendering = Math.max(height, width) > SMALL ? "auto" : "pixelated";
  return <canvas ref={ref} style={{ aspectRatio: width / height, imageRendering, filter }} />;
}

/** Marks the part of the picture that a neuron sees. */
function Seen({ field, picture }: { field: NonNullable<Panel["field"]>; picture: Tensor }) {
  const [top, left, ...size] = field;
  const [height = 1, width = 1] = picture.shape;
  const [from, to] = [
    [top, left].map((at) => Math.max(0, at)),
    [Math.min(height, top + size[0]), Math.min(width, left + size[1])],
  ] as [[number, number], [number, number]];
  const share = (part: number, all: number) => `${(100 * part) / all}%`;
  const style = {
    top: share(from[0], height),
    left: share(from[1], width),
    height: share(to[0] - from[0], height),
    width: share(to[1] - from[1], width),
  };
  return <i class="cnnw-ga-seen" title="What the neuron sees: its receptive field" style={style} />;
}

interface TileProps {
  film: Film;
  /** Of the film, so that what it says of a still is read again. */
  version: number;
  still: Still;
  panel: Panel;
  index: number;
  picture: Tensor;
  /** Its values, and whether they are stretched. */
  values: [low: number, high: number];
  stretched: boolean;
}

/** Why the picture does not move, and since when the network names it. */
function Remarks({ film, still, index }: Pick<TileProps, "film" | "still" | "index">) {
  const first = film.first[index] ?? null;
  const note = film.noteOf(still.step, index);
  const since = first ? `first its answer at step ${count(first)}` : "its answer from the start on";
  return (
    <>
      {first !== null && <small data-first={first}>{since}</small>}
      {note?.settled && (
        <small title={note.words}>
          ended at step {count(note.step)}
          {film.panels.length <= FEW && `: ${note.words}`}
        </small>
      )}
      {note && !note.settled && (
        <p class="cnnw-ga-note">{note.words.charAt(0).toUpperCase() + note.words.slice(1)}.</p>
      )}
    </>
  );
}

/** " (step 12)" where that is not the step of the picture. */
const atStep = (step: number, still: Still) =>
  step === still.step ? "" : ` (step ${count(step)})`;

/** ", 12 steps before" where it was asked about an earlier picture. */
const before = (step: number, still: Still) =>
  step === still.step ? "" : `, ${count(still.step - step)} steps before`;

function Tile(p: TileProps) {
  const { film, still, panel, index, picture } = p;
  const { enlarged, pointed, classes, layers } = useAscent();
  const many = film.panels.length > 1;
  const one = !many || enlarged.value === panel.id;
  const at = film.measuredAt(still.step, index);
  const score = measured(film.score(at, index)) + atStep(at, still);
  const unit = scoreWords(panel, classes.value, layers.value);
  const said = film.saidOf(still.step, index);
  const note = film.noteOf(still.step, index);
  const says = note?.step === 0 ? "" : answerWords(said); // else of the noise
  const asked = said ? before(said.step, still) : "";
  const label = weightWords(film.labelOf(panel, still.step), film.tv(at, index));
  const since = film.turnOf(still.step);
  const { filter, words } = shownWith(p.values, p.stretched);
  const told = `${label}, step ${count(still.step)}: score ${score}${says && `; the network says ${says}${asked}`}`;
  return (
    <article
      data-panel={panel.id}
      data-step={still.step}
      data-score={film.score(at, index)}
      data-answer={said?.answer.name}
      onPointerEnter={() => (pointed.value = panel.id)}
      onPointerLeave={() => (pointed.value = null)}
    >
      <button
        type="button"
        aria-label={many ? `${told}. ${one ? "Show all" : "Enlarge"}` : told}
        aria-pressed={many && one}
        disabled={!many}
        onClick={() => (enlarged.value = one ? null : panel.id)}
      >
        <Picture picture={picture} filter={filter} />
        {panel.field && <Seen field={panel.field} picture={picture} />}
      </button>
      <div>
        <h4 title={label}>
          {many && <i style={{ background: colourOf(index) }} />}
          {label}
          {since && <small>since step {count(since.step)}</small>}
        </h4>
        <p title={unit}>
          score {score} {one && <small>{unit}</small>}
        </p>
        {says && (
          <p class={asked && "cnnw-ga-old"}>
            network{asked}: {says}
          </p>
        )}
        <small title="1st to 99th percentile of the picture’s values">{words}</small>
        <Remarks {...p} />
      </div>
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
function notes(state: State, still: Still): string[] {
  const { shape, shown, frames, changed, turned, going, alone, classes, film } = state;
  const quiet = !(going.value || alone.value);
  const ended = phaseOf(state) === "ended";
  const next = liveWords(turned.value);
  const [channels = 3] = shape.value;
  const missing = frames.missing.value;
  const all = [
    channels !== 1 && channels !== 3 && `Shown: the mean of ${channels} channels.`,
    still.step !== shown.value && `Picture of step ${count(still.step)}, the nearest that is here.`,
    classes.value.length === 2 &&
      film.value?.panels.some(({ measure }) => measure !== null) &&
      complementWords(classes.value as [string, string]),
    film.value?.live.tv === null &&
      new Set(film.value?.panels.map(({ smoothing }) => smoothing)).size > 1 &&
      "Automatic follows the gradient of each picture, so the weights are no exact multiples.",
    missing > 0 && `${count(missing)} of its pictures are not in this page.`,
    quiet &&
      (changed.value || (ended && next !== "")) &&
      "Made with other settings than those chosen now: press Run.",
    quiet && !ended && next !== "" && `From the next step on: ${next}.`,
  ];
  return all.filter((one) => typeof one === "string");
}

/** Had the picture no gradient to begin with? */
const sleeps = (note: Note | null) => note?.step === 0 && !note.settled;

/** Most pictures in a row, so that all can be seen at once. */
function columns(count: number): number {
  if (count <= 5) return count;
  return count <= 6 ? 3 : count <= 10 ? 5 : 6;
}

export function Stage() {
  const state = useAscent();
  const { film: held, shown, enlarged, contrast } = state;
  const film = held.value;
  const version = film?.version.value ?? 0;
  const still = film?.near(shown.value);
  if (!film || !still) return <Nothing />;
  const all = film.panels.map((panel, index) => {
    const picture = pictureOf(still, index);
    return { film, version, still, panel, index, picture, values: percentiles(picture) };
  });
  const only = all.filter(({ panel }) => panel.id === enlarged.value);
  const tiles = only.length ? only : all;
  const stretched = stretches(
    contrast.value,
    all.map(({ values, index }) => [values, sleeps(film.noteOf(still.step, index))]),
  );
  return (
    <>
      <div
        class="cnnw-ga-stage"
        data-count={Math.min(tiles.length, 5)}
        style={{ "--cnnw-columns": columns(tiles.length) }}
      >
        {tiles.map((tile) => (
          <Tile key={tile.panel.id} {...tile} stretched={stretched[tile.index] as boolean} />
        ))}
      </div>
      {only.length > 0 && all.length > 1 && (
        <Button onClick={() => (enlarged.value = null)}>All {count(all.length)} pictures</Button>
      )}
      {notes(state, still).map((note) => (
        <p key={note} class="cnnw-note">
          {note}
        </p>
      ))}
    </>
  );
}
