// The probe pictures, and what the network took the chosen one for.
import { useCallback, useMemo } from "preact/hooks";
import { Bars } from "../../shared/bars";
import { drawPicture } from "../../shared/canvas";
import { count, percent } from "../../shared/format";
import { Legend } from "../../shared/legend";
import { oddOf, type Tensor } from "../../shared/wire";
import { HatchKey, SPARSE } from "./hatch";
import { Refusal } from "./refusal";
import { type HeatRow, RowHeat } from "./row_heat";
import { useRunSteps } from "./run_steps";
import { SizedGrid } from "./sized_grid";
import { nearest } from "./sorted";
import { useMonitor } from "./state";
import type { Run } from "./types";
import { walk } from "./walking";

interface Predictions {
  /** Of the snapshots. */
  steps: number[];
  /** The likeliest over the run, and their names. */
  classes: number[];
  names: string[];
  /** Step → picture → class; −1: none, the probabilities are no numbers. */
  predicted: number[][];
}

interface ProbeProps {
  run: Run;
  at: number;
  pin: number | undefined;
}

/** Edge of a tile, and height of the grid at most (CSS pixels). */
const [EDGE, MOST] = [56, 160];
const CERTAIN = { low: 0, high: 1, log: false, clipped: false, table: "sequential" } as const;

const nameOf = ({ classes }: Run, index: number) =>
  index < 0 ? "none" : (classes[index] ?? `class ${index}`);
const chanceText = (value = Number.NaN) => (value >= 0 ? percent(value) : "not measured");

/** The probe pictures, and the predictions; asked for once, and again when there are more snapshots. */
export function useProbe({ id, snapshots: { steps } }: Run) {
  const { replies } = useMonitor();
  const seen = replies.get<Predictions>("predictions", id, steps.length + (steps.at(-1) ?? 0));
  return { seen, pictures: replies.get("pictures", id, 0) };
}

export function Probe({ run, at, pin }: ProbeProps) {
  const { looks } = useMonitor();
  const { seen, pictures } = useProbe(run);
  const value = seen.reply?.value;
  const row = value ? nearest(value.steps, at) : -1;
  const taken = value?.predicted[row];
  const said = seen.refusal ?? pictures.refusal;
  const index = Math.min(looks.picture.value, run.probe - 1);
  return (
    <div class="cnnw-tm-probe">
      <Pictures {...{ run, taken, index }} pictures={pictures.reply?.tensors[0]} />
      {value && (
        <Chances
          {...{ run, index, at, pin }}
          predictions={value}
          chances={seen.reply?.tensors[0] as Tensor}
        />
      )}
      <Refusal said={said} />
    </div>
  );
}

interface PicturesProps {
  run: Run;
  pictures: Tensor | undefined;
  /** The class of each picture. */
  taken: number[] | undefined;
  index: number;
}

function Pictures({ run, pictures, taken, index }: PicturesProps) {
  const { picture } = useMonitor().looks;
  const draw = useCallback(
    (item: number, canvas: HTMLCanvasElement) => {
      if (!pictures) return false;
      const [, height = 1, width = 1, depth = 1] = pictures.shape;
      const size = height * width * depth;
      const data = pictures.data.subarray(item * size, (item + 1) * size);
      drawPicture(canvas, { shape: [height, width, depth], encoding: "picture", data });
      return true;
    },
    [pictures],
  );
  const label = useCallback(
    (item: number) => {
      const found = taken?.[item];
      return found === undefined ? `${item}` : nameOf(run, found);
    },
    [taken, run],
  );
  return (
    <SizedGrid
      most={MOST}
      caption={`${run.probe} probe pictures, and what they are taken for`}
      count={run.probe}
      tile={EDGE}
      {...{ draw, label }}
      selected={index}
      onSelect={(item) => (picture.value = item)}
    />
  );
}

interface ChancesProps {
  run: Run;
  index: number;
  at: number;
  pin: number | undefined;
  predictions: Predictions;
  /** [steps, pictures, classes] */
  chances: Tensor;
}

/** The probabilities of the classes: at the snapshot as bars, over all of them as a picture. */
function Chances({ run, index, at, pin, predictions, chances }: ChancesProps) {
  const state = useMonitor();
  const { steps, names, classes, predicted } = predictions;
  const [from, to] = useRunSteps();
  const [, pictures = 1, many = 1] = chances.shape;
  const chance = (row: number, k: number) =>
    chances.data[(row * pictures + index) * many + k] as number;
  const [row, other] = [nearest(steps, at), pin === undefined ? -1 : nearest(steps, pin)];
  const rows = useMemo(
    (): HeatRow[] => names.map((name, k) => ({ name, steps, value: (i) => chance(i, k) })),
    [predictions, chances, index],
  );
  const dots = useMemo(
    () =>
      steps.flatMap((step, i) => {
        const k = classes.indexOf(predicted[i]?.[index] as number);
        return k < 0 ? [] : [{ step, row: k }];
      }),
    [predictions, index],
  );
  const now = predicted[row]?.[index];
  const all = run.classes.length;
  const which =
    all > names.length ? `, the ${names.length} likeliest of ${count(all)} classes` : "";
  const bars = names.map((name, k) => {
    const before = other < 0 ? "" : ` (pinned ${chanceText(chance(other, k))})`;
    return { label: name, value: chance(row, k), text: chanceText(chance(row, k)) + before };
  });
  return (
    <>
      <Bars
        caption={`Probabilities of picture ${index}${which}; predicted: ${now === undefined ? "–" : nameOf(run, now)}`}
        rows={bars}
        max={1}
        selected={classes.indexOf(now ?? -1)}
      />
      <RowHeat
        label={`Probabilities of picture ${index} over ${count(steps.length)} snapshots`}
        {...{ rows, dots }}
        text={chanceText}
        range={CERTAIN}
        {...{ from, to }}
        selected=""
        onChoose={(step) => state.go(steps[nearest(steps, step)] as number)}
        onKeyDown={(event) => walk(state, event, [], steps)}
      />
      <Legend
        scale={{ low: 0, high: 100, table: "sequential" }}
        caption="probability; dots: the predicted class"
        unit="%"
        odd={oddOf(chances.data)}
      />
      <HatchKey why={SPARSE} />
    </>
  );
}
