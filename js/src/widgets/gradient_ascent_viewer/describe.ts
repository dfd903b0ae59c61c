// Objectives, scores and answers in words.
import { count, number, percent } from "../../shared/format";
import type { Said } from "./film";
import type { Layer, Live, Panel } from "./types";

/** What an objective consists of. */
export type Subject =
  | { kind: "unit"; layer: string; channel: number; at: [number, number] | null }
  | { kind: "class"; index: number; name: string }
  | { kind: "custom" };

/** Reads "layer:channel", "layer:channel:row:column" or "class:name"; `target` tells equal names apart. */
export function subjectOf(
  objective: string,
  classes: readonly string[],
  target?: number | null,
): Subject {
  if (objective.startsWith("class:")) {
    const given = objective.slice(6);
    const named = target != null && classes[target] === given ? target : classes.indexOf(given);
    const index = named >= 0 ? named : /^\d+$/.test(given) ? Number(given) : -1;
    return { kind: "class", index, name: classes[index] ?? given };
  }
  const [, layer, channel, row, column] = objective.match(/^(.+?):(\d+)(?::(\d+):(\d+))?$/) ?? [];
  if (layer === undefined) return { kind: "custom" };
  const at: [number, number] | null = row === undefined ? null : [Number(row), Number(column)];
  return { kind: "unit", layer, channel: Number(channel), at };
}

export function unitText(layer: string, channel: number, at: readonly number[] | null): string {
  return [layer, channel, ...(at ?? [])].join(":");
}

/** What the score is: "mean activation of conv2:5". */
export function scoreWords(
  { objective, measure }: Panel,
  classes: readonly string[],
  layers: readonly Layer[],
): string {
  const subject = subjectOf(objective, classes);
  if (subject.kind === "custom") return "score of the objective given in Python";
  if (subject.kind === "class") return `${measure ?? "score"} of ${subject.name}`;
  const { layer, channel, at } = subject;
  const unit = `${layer}:${channel}`;
  if (at) return `activation of ${unit} at row ${at[0]}, column ${at[1]}`;
  const maps = layers.find(({ name }) => name === layer)?.maps !== null;
  return `${maps ? "mean activation" : "activation"} of ${unit}`;
}

/** The same of several pictures: in common what is. */
export function commonWords(
  panels: readonly Panel[],
  classes: readonly string[],
  layers: readonly Layer[],
): string {
  const words = panels.map((panel) => scoreWords(panel, classes, layers));
  const [first = "score", ...others] = [...new Set(words)];
  return others.length ? `${first.split(" of ")[0]} of each` : first;
}

/** "TV 4 × automatic = 0.31": what an automatic weight was at a step. */
export function weightWords(label: string, weight: number): string {
  const known = label.endsWith("automatic") && Number.isFinite(weight);
  return known ? `${label} = ${number(weight, 2)}` : label;
}

/** "automatic (14 px)" */
export const automatic = (value: number, unit = ""): string =>
  Number.isFinite(value)
    ? `automatic (${number(value, 2)}${unit && `\u00a0${unit}`})`
    : "automatic";

/** A percentage that is not broken at the end of a line. */
export const chance = (probability: number | null): string =>
  probability === null ? "not finite" : percent(probability).replace(/ /g, "\u00a0");

/** "zebra 99.8 %, then horse 0.1 %" */
export function answerWords(said: Said | undefined): string {
  if (!said) return "";
  const { answer, rival } = said;
  const then = rival ? `, then ${rival.name} ${chance(rival.probability)}` : "";
  return `${answer.name} ${chance(answer.probability)}${then}`;
}

/** Why one of two classes is the other's opposite. */
export const complementWords = ([one, other]: readonly [string, string]): string =>
  `Of two classes, p(${other}) = 1 − p(${one}): what speaks for the one speaks against the other, so the picture that ${other} avoids is one that ${one} likes.`;

const NAMES: Record<string, string> = {
  tv: "total variation",
  l2: "L2",
  lr: "rate",
  p_norm: "p-norm",
  blur_sigma: "blur",
};

/** "direction down, rate 0.2" */
export const liveWords = (live: Live): string =>
  Object.entries(live)
    .map(([name, value]) => {
      if (name === "direction") return `direction ${value === 1 ? "up" : "down"}`;
      return `${NAMES[name] ?? name} ${value === null ? "automatic" : number(value)}`;
    })
    .join(", ");

/** A number that may be missing. */
export const measured = (x: number): string => (Number.isNaN(x) ? "not measured" : number(x));

/** "about 12 s left" */
export function leftWords(steps: number, speed: number | null): string {
  if (!speed || steps <= 0) return "";
  const seconds = steps / speed;
  if (seconds < 90) return `about ${count(Math.max(1, Math.ceil(seconds)))} s left`;
  return `about ${count(Math.ceil(seconds / 60))} min left`;
}

export const speedWords = (speed: number | null): string =>
  speed ? `${number(speed, 3)} steps/s` : "";

export const NEEDS_KERNEL =
  "Another picture needs the kernel; those that are here can be looked at.";
