// What each panel shows: its map, ready to be drawn and explained.
import type { Scale } from "../../shared/color";
import type { Tensor } from "../../shared/wire";
import type { Asked, Made, Part, Reduction, Scaling } from "./types";
import {
  isSigned,
  type Likeness,
  likeness,
  limitOf,
  minus,
  rangeOf,
  shownOf,
  signedWay,
} from "./values";

/** "old": of other settings or weights; "partial": stopped before its end. */
export type ViewState = "empty" | "loading" | "partial" | "ready" | "old" | "error";

export interface View {
  id: string;
  asked: Asked;
  /** Of a difference the class whose map is taken from the first's. */
  less: number | undefined;
  /** Where the values end, beyond the full colours too. */
  ends: [number, number];
  made: Made | undefined;
  values: Float32Array | undefined;
  scale: Scale;
  unit: string;
  state: ViewState;
  /** To the trained model's map; of a random model's only. */
  similarity: Likeness | undefined;
}

export interface Looks {
  reduction: Reduction;
  part: Part;
  percentile: number;
  scale: Scaling;
  against: number | null;
}

/** A map's values: of the stage that is looked at, and of the whole, which the range is taken of. */
export interface Values {
  now: Tensor;
  whole: Tensor;
}

export interface Given {
  asked: readonly Asked[];
  made: (id: string) => Made | undefined;
  values: (id: string) => Values | undefined;
  /** Is it of the present settings and weights? */
  current: (made: Made) => boolean;
  looks: Looks;
}

type Draft = Omit<View, "scale" | "ends"> & { whole: Float32Array | undefined; family: string };

export function viewsOf(given: Given): View[] {
  const drafts: Draft[] = [];
  for (const asked of given.asked) {
    const draft = draftOf(asked, given);
    const before = drafts.at(-1);
    drafts.push(draft);
    const compared = asked.target === given.looks.against && !asked.randomised;
    if (compared && before) drafts.push(differenceOf(before, draft, given));
  }
  const limits = new Map<string, number>();
  for (const { whole, family } of drafts)
    if (whole)
      limits.set(family, Math.max(limits.get(family) ?? 0, limitOf(whole, given.looks.percentile)));
  return drafts.map(({ whole, family, ...draft }) => ({
    ...draft,
    ends: endsOf(whole),
    scale: scaleOf(draft, limits.get(family) ?? 0, given.looks),
  }));
}

function draftOf(asked: Asked, { made: find, values, current, looks }: Given): Draft {
  const { reduction, part, against } = looks;
  const made = find(asked.id);
  const held = made && !made.error ? values(asked.id) : undefined;
  const shown = (t: Tensor | undefined) =>
    t && made ? shownOf(t, reduction, part, made.flat) : undefined;
  const now = shown(held?.now);
  const trained = asked.randomised && find(asked.id.replace("random", "trained"));
  const other = trained ? values(trained.id)?.whole : undefined;
  const alike = () => other && made && held && likeness(other, held.now, made.flat, made.signed);
  const unit = made?.unit ?? "";
  const family = against === null || asked.randomised ? asked.id : asked.method;
  return {
    id: asked.id,
    asked,
    less: undefined,
    made,
    values: now,
    whole: shown(held?.whole),
    unit,
    family: looks.scale === "unit" ? unit : family,
    state: stateOf(made, !!now, !!made && current(made)),
    similarity: alike(),
  };
}

function stateOf(made: Made | undefined, there: boolean, current: boolean): ViewState {
  if (!made) return "empty";
  if (made.error) return "error";
  if (made.active || !there) return "loading";
  if (made.done < made.total) return "partial";
  return current ? "ready" : "old";
}

/** The first class's signed values less the other's: what speaks more for the first is positive. */
function differenceOf(one: Draft, other: Draft, { values, looks }: Given): Draft {
  const [a, b] = [one, other].map(({ made, asked }) =>
    made && !made.error ? values(asked.id) : undefined,
  );
  const of = (which: keyof Values) => {
    const [first, second] = [a, b].map(
      (t) => t && shownOf(t[which], signedWay(looks.reduction), "all", !!one.made?.flat),
    );
    return first && second ? minus(first, second) : undefined;
  };
  return {
    ...one,
    id: `${one.id} − ${other.id}`,
    less: other.asked.target,
    values: of("now"),
    whole: of("whole"),
    state: [one, other].find(({ state }) => state !== "ready")?.state ?? "ready",
    similarity: undefined,
  };
}

function endsOf(values: Float32Array | undefined): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values ?? []) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function scaleOf(
  { less, made }: Pick<View, "less" | "made">,
  limit: number,
  { reduction, part }: Looks,
): Scale {
  const signed = less !== undefined || (!!made?.signed && isSigned(reduction, part, made.flat));
  return rangeOf(signed, limit);
}
