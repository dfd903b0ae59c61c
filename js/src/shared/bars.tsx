export interface Bar {
  label: string;
  value: number;
  /** The value as text, at the end of the row. */
  text: string;
}

export interface BarsProps {
  caption: string;
  rows: readonly Bar[];
  /** The value of a full bar; the largest size among the rows by default. */
  max?: number;
  unit?: string;
  selected?: number | null;
  onSelect?: (index: number) => void;
}

/** Labelled horizontal bars; with negative values the zero line is in the middle. */
export function Bars(p: BarsProps) {
  return <div class="cnnw-bars">{p.caption}</div>;
}
