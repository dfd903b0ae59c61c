export interface Tab<K extends string> {
  key: K;
  label: string;
  /** Why the tab cannot be chosen now, shown as its tooltip. */
  disabled?: string | undefined;
}

export interface TabsProps<K extends string> {
  label: string;
  tabs: readonly Tab<K>[];
  selected: K;
  onSelect: (key: K) => void;
}

export function Tabs<K extends string>(p: TabsProps<K>) {
  return <div role="tablist" aria-label={p.label} />;
}
