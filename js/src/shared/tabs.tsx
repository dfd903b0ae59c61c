import { PlainButton } from "./button";
import { handled, move } from "./keys";
import "./tabs.css";

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

/** A row of tabs; the arrow keys choose among those that can be chosen. */
export function Tabs<K extends string>({ label, tabs, selected, onSelect }: TabsProps<K>) {
  const open = tabs.filter((tab) => !tab.disabled);
  const onKeyDown = (event: KeyboardEvent & { currentTarget: HTMLElement }) => {
    const to = move(
      event.key,
      open.findIndex((tab) => tab.key === selected),
      open.length,
    );
    const tab = open[to ?? -1];
    if (!tab) return;
    handled(event);
    onSelect(tab.key);
    (event.currentTarget.children[tabs.indexOf(tab)] as HTMLElement).focus();
  };
  return (
    <div class="cnnw-tabs" role="tablist" aria-label={label} tabIndex={-1} onKeyDown={onKeyDown}>
      {tabs.map(({ key, label: text, disabled }) => (
        <PlainButton
          key={key}
          role="tab"
          aria-selected={key === selected}
          aria-disabled={!!disabled}
          title={disabled}
          tabIndex={key === selected ? 0 : -1}
          onClick={() => !disabled && onSelect(key)}
        >
          {text}
        </PlainButton>
      ))}
    </div>
  );
}
