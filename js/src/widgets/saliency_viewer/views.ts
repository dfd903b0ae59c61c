// What each panel shows: its map, ready to be drawn and explained.
import type { Scale } from "../../shared/color";
import type { Tensor } from "../../shared/wire";
import type { Asked, Made, Part, Reduction, Scaling } from "./types";
import { isSigned, limitOf, minus, rangeOf, shownOf, similarity } from "./values";

/** "old": of other settings or weights; "partial": stopped before its end. */
export type ViewState = "empty" | "loading" | "partial" | "ready" | "old" | "error";

export interface View {
  id: string;
  asked: Asked;
  /** The other class's map is taken from the first's. */
  difference: boolean;
  made: Made | undefined;
  values: Float32Array | undefined;
  scale: Scale;
  unit: string;
  state: ViewState;
  /** Spearman's rank correlation with the trained model's map; of a random model's only. */
  similarity: number | undefined;
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

type Draft = Omit<View, "scale"> & { whole: Float32Array | undefined; family: string };

export function viewsOf(given: Given): View[] {
  const drafts: Draft[] = [];
  for (const asked of given.asked) {
    const draft = draftOf(asked, given);
    const before = drafts.at(-1);
    drafts.push(draft);
    const compared = asked.target === given.looks.against && !asked.randomised;
    if (compared && before) drafts.push(differenceOf(before, draft));
  }
  const limits = new Map<string, number>();
  for (const { whole, family } of drafts)
    if (whole)
      limits.set(family, Math.max(limits.get(family) ?? 0, limitOf(whole, given.looks.percentile)));
  return drafts.map(({ whole: _, family, ...draft }) => ({
    ...draft,
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
  const unit = made?.unit ?? "";
  const family = against === null || asked.randomised ? asked.id : asked.method;
  return {
    id: asked.id,
    asked,
    difference: false,
    made,
    values: now,
    whole: shown(held?.whole),
    unit,
    family: looks.scale === "unit" ? unit : family,
    state: stateOf(made, !!now, !!made && current(made)),
    similarity: now && other ? similarity(shown(other) as Float32Array, now) : undefined,
  };
}

function stateOf(made: Made | undefined, there: boolean, current: boolean): ViewState {
  if (!made) return "empty";
  if (made.error) return "error";
  if (made.active || !there) return "loading";
  if (made.done < made.total) return "partial";
  return current ? "ready" : "old";
}

/** The first class's values less the other's: what speaks more for the first is positive. */
function differenceOf(one: Draft, other: Draft): Draft {
  const of = (a: Float32Array | undefined, b: Float32Array | undefined) =>
    a && b ? minus(a, b) : undefined;
  return {
    ...one,
    id: `${one.id} − ${other.id}`,
    difference: true,
    values: of(one.values, other.values),
    whole: of(one.whole, other.whole),
    state: [one, other].find(({ state }) => state !== "ready")?.state ?? "ready",
    similarity: undefined,
  };
}

function scaleOf(
  { difference, made }: Pick<View, "difference" | "made">,
  limit: number,
  { reduction, part }: Looks,
): Scale {
  const signed = difference || (!!made?.signed && isSigned(reduction, part, made.flat));
  return rangeOf(signed, limit);
}
