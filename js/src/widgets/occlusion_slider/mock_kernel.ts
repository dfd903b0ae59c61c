// A kernel for tests: answers as if class 0 were seen in the middle of a picture of 16 × 16 pixels.
import { type Content, FakeModel } from "../../shared/fake_model";
import { pack } from "../../shared/packing";
import type { ClassRow, Place, SweepValue } from "./types";

export const NAMES = ["cat", "<b>dog</b>", "bird"];
const EDGE = 16;
const BARE = 0.9;

const grey = (level: number) =>
  pack(new Uint8Array(3 * EDGE * EDGE).fill(level), [EDGE, EDGE, 3], 0);

const odds = (p: number) => Math.log(p / (1 - p));

/** The probability of class 0: the nearer to the middle the patch, the less. */
export const chanceAt = ({ row, column }: Place): number =>
  BARE - 0.8 / (1 + Math.hypot(row - 6, column - 6));

export function rowsAt(place: Place): ClassRow[] {
  const cat = chanceAt(place);
  return NAMES.map((name, index) => {
    const probability = index ? (1 - cat) / 2 : cat;
    const change = index ? (BARE - cat) / 2 : cat - BARE;
    const [log_odds, before] = [odds(probability), odds(probability - change)];
    const logits = { logit: probability, logit_change: change };
    return {
      index,
      name,
      probability,
      change,
      ...logits,
      log_odds,
      log_odds_change: log_odds - before,
    };
  });
}

/** A sweep of windows of 4 pixels, 2 apart, of which the first `done` rows are there. */
export function sweepOf(done: number): { value: SweepValue; scores: DataView } {
  const starts = [0, 2, 4, 6, 8, 10, 12];
  const cells = starts.flatMap((row) =>
    starts.map((column) => (row < 2 * done ? rowsAt({ row, column }) : undefined)),
  );
  const plane = (of: (row: ClassRow) => number) =>
    NAMES.flatMap((_, at) => cells.map((rows) => (rows ? of(rows[at] as ClassRow) : Number.NaN)));
  const scores = [
    ...plane(({ logit }) => logit as number),
    ...plane(({ probability }) => odds(probability as number)),
  ];
  const value = {
    key: 1,
    window: 4,
    stride: 2,
    fill: "mean",
    kept: [],
    rows: starts,
    columns: starts,
    classes: NAMES.map((name, index) => {
      const bare = index ? (1 - BARE) / 2 : BARE;
      const measures = { logit: bare, log_odds: odds(bare) };
      return { index, name, ...measures, bare: measures };
    }),
    done: 7 * done,
    total: 49,
    method: "incremental",
    reason: null,
    share: 0.25,
  };
  return { value, scores: pack(scores, [2, 3, 7, 7], 3) };
}

export class MockKernel extends FakeModel {
  /** Whether it answers by itself. */
  answering = true;
  #frames = 0;

  constructor(traits: Content = {}) {
    super({
      window: 4,
      stride: 2,
      fill: "mean",
      kept: [],
      row: 6,
      column: 6,
      target: 0,
      measure: "probability",
      progress: 0,
      running: false,
      probabilities: rowsAt({ row: 6, column: 6 }),
      _picture: { key: 1, name: "picture", picture: grey(200) },
      _filled: { fill: "mean", picture: grey(80) },
      _sweep: null,
      _classes: NAMES,
      _measures: ["probability", "logit", "log-odds"],
      _note: "",
      _network: "Net",
      _error: null,
      ...traits,
    });
  }

  override send(content: Content, _: unknown, buffers?: unknown): void {
    super.send(content, _, buffers);
    if (content.kind !== "request" || !this.answering) return;
    const { args, name } = content;
    const layers = [{ name: "conv1", change: 0.25 }];
    const values: Content = {
      patch: { rows: rowsAt(args), milliseconds: 1 },
      cost: { rows: 7, columns: 7, seconds: 12 },
      layers: { layers },
    };
    setTimeout(() => this.reply(content, values[name] ?? {}));
  }

  frame(done: number): void {
    const { value, scores } = sweepOf(done);
    this.message({ kind: "frame", stream: "sweep", seq: ++this.#frames, value }, [scores]);
  }

  finish(done = 7): void {
    const { value, scores } = sweepOf(done);
    this.update("_sweep", { ...value, scores });
    this.update("running", false);
  }
}
