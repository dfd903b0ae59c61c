// Families of layer kinds: what the colour of a layer's mark says.
import { MARKS } from "../../shared/look";

/** Each family in words, and its kinds; the last takes every other kind. */
export const FAMILIES: readonly (readonly [words: string, ...kinds: string[]])[] = [
  [
    "learned weights (convolution, linear, attention)",
    "conv",
    "transposed conv",
    "linear",
    "embedding",
    "recurrent",
    "attention",
  ],
  ["activation function", "activation"],
  ["pooling, upsampling, mean", "pool", "upsample", "mean"],
  ["normalisation, dropout", "norm", "dropout"],
  ["where branches meet (add, multiply, concatenate)", "add", "multiply", "concat"],
  ["softmax", "softmax"],
  ["reshaping and everything else"],
];

/** The colour of a layer's mark. */
export const markOf = (kind: string): string | undefined =>
  MARKS.at(FAMILIES.findIndex(([, ...kinds]) => kinds.includes(kind)));

const WORDS: Record<string, string> = {
  conv: "convolution",
  "transposed conv": "transposed convolution",
  pool: "pooling",
  norm: "normalisation",
  concat: "concatenation",
};

export const kindWord = (kind: string): string => WORDS[kind] ?? kind;
