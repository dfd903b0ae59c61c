// Which curves are drawn in one chart: those that measure the same, in training and in validation.

export interface Group<C> {
  /** What is measured: "loss". */
  title: string;
  unit: string;
  curves: Member<C>[];
}

export interface Member<C> {
  curve: C;
  /** What tells it from the others of its chart; "" if nothing has to. */
  part: string;
  validation: boolean;
}

const TRAINING = new Set(["train", "training", "trn"]);
const VALIDATION = new Set(["val", "valid", "validation", "eval", "test", "dev"]);
const SAME: Record<string, string> = { acc: "accuracy", lr: "learning rate" };
const UNITS: Record<string, string> = { "samples per second": "samples/s" };
/** What stands first and last; whatever else was logged is between. */
const FIRST = ["loss", "accuracy"];
const LAST = ["learning rate", "gradient norm", "samples per second"];

/** The words of a name: "val/top-1_acc" → val, top, 1, acc. */
const words = (name: string) => name.split(/[\s_/.-]+/).filter(Boolean);

function measured(name: string): { title: string; part: string; validation: boolean } {
  const all = words(name);
  const said = all.map((word) => word.toLowerCase());
  const split = said.findIndex((word) => TRAINING.has(word) || VALIDATION.has(word));
  const rest = all.filter((_, i) => i !== split);
  const validation = VALIDATION.has(said[split] ?? "");
  const last = rest.at(-1) ?? "";
  const numbered = rest.length > 1 && /^\d+$/.test(last);
  const plain = (numbered ? rest.slice(0, -1) : rest).join(" ");
  const title = SAME[plain.toLowerCase()] ?? plain;
  if (split < 0 && !numbered) return { title: title || name, part: "", validation };
  const part = [all[split], numbered ? last : undefined].filter(Boolean).join(" ");
  return { title: title || name, part, validation };
}

const rank = (title: string) => {
  const [first, last] = [FIRST.indexOf(title), LAST.indexOf(title)];
  return first >= 0 ? first - FIRST.length : last >= 0 ? last + 1 : 0;
};

/** Charts in the order in which they are shown; the curve "epoch" is a clock and none of them. */
export function groupsOf<C extends { name: string }>(curves: readonly C[]): Group<C>[] {
  const groups = new Map<string, Group<C>>();
  for (const curve of curves) {
    if (curve.name === "epoch") continue;
    const { title, part, validation } = measured(curve.name);
    const key = title.toLowerCase();
    const group = groups.get(key) ?? { title, unit: UNITS[key] ?? "", curves: [] };
    group.curves.push({ curve, part, validation });
    groups.set(key, group);
  }
  return [...groups.values()].sort(
    (a, b) => rank(a.title.toLowerCase()) - rank(b.title.toLowerCase()),
  );
}
