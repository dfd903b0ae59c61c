// Families of layer kinds: what the colour of a layer's mark says.

export type Family =
  | "learned"
  | "activation"
  | "resampling"
  | "norm"
  | "merge"
  | "probability"
  | "shape";

const KINDS: Record<string, Family> = {
  conv: "learned",
  "transposed conv": "learned",
  linear: "learned",
  embedding: "learned",
  recurrent: "learned",
  attention: "learned",
  activation: "activation",
  pool: "resampling",
  upsample: "resampling",
  mean: "resampling",
  norm: "norm",
  dropout: "norm",
  add: "merge",
  multiply: "merge",
  concat: "merge",
  softmax: "probability",
};

export const FAMILIES: readonly [Family, string][] = [
  ["learned", "learned weights (convolution, linear, attention)"],
  ["activation", "activation function"],
  ["resampling", "pooling, upsampling, mean"],
  ["norm", "normalisation, dropout"],
  ["merge", "where branches meet (add, multiply, concatenate)"],
  ["probability", "softmax"],
  ["shape", "reshaping and everything else"],
];

export const family = (kind: string): Family => KINDS[kind] ?? "shape";

const WORDS: Record<string, string> = {
  conv: "convolution",
  "transposed conv": "transposed convolution",
  pool: "pooling",
  norm: "normalisation",
  concat: "concatenation",
};

export const kindWord = (kind: string): string => WORDS[kind] ?? kind;
