// Small parts: a labelled drop-down list, and what opens below its heading.
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { handled } from "../../shared/keys";

interface ChoiceProps<K extends string | number> {
  label: string;
  value: K;
  options: readonly (readonly [K, string])[];
  disabled?: boolean | undefined;
  /** Can it be chosen? All can by default. */
  offers?: (key: K) => boolean;
  onChange: (key: K) => void;
}

export const Choice = <K extends string | number>(p: ChoiceProps<K>) => (
  <label class="cnnw-sv-choice">
    <span>{p.label}</span>
    <select
      aria-label={p.label}
      value={p.value}
      disabled={p.disabled}
      onChange={({ currentTarget }) => {
        const option = p.options[currentTarget.selectedIndex];
        if (option) p.onChange(option[0]);
      }}
    >
      {p.options.map(([key, text]) => (
        <option key={key} value={key} disabled={p.offers && !p.offers(key)}>
          {text}
        </option>
      ))}
    </select>
  </label>
);

/** A button that opens a small panel over what follows; Escape, or leaving it, closes it. */
export function Popup({ label, children }: { label: string; children: ComponentChildren }) {
  const ref = useRef<HTMLDetailsElement>(null);
  const close = () => {
    if (ref.current) ref.current.open = false;
  };
  return (
    <details
      ref={ref}
      class="cnnw-sv-popup"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !ref.current?.open) return;
        close();
        ref.current.querySelector("summary")?.focus();
        handled(event);
      }}
      onFocusOut={({ relatedTarget }) => {
        if (relatedTarget && !ref.current?.contains(relatedTarget as Node)) close();
      }}
    >
      <summary class="cnnw-button">{label}</summary>
      <div>{children}</div>
    </details>
  );
}
