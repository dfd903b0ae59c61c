import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Dialog } from "./dialog";

interface KeyHelpProps {
  title?: string;
  open: Signal<boolean>;
  /** Keys, or signs, and what they mean. */
  meanings: readonly (readonly [sign: ComponentChildren, meaning: string])[];
}

/** What the keys of a widget do. */
export const KeyHelp = ({ title = "Keys", open, meanings }: KeyHelpProps) => (
  <Dialog title={title} open={open.value} onClose={() => (open.value = false)}>
    <dl>
      {meanings.map(([sign, meaning]) => (
        <div key={meaning}>
          <dt>{typeof sign === "string" ? <kbd>{sign}</kbd> : sign}</dt>
          <dd>{meaning}</dd>
        </div>
      ))}
    </dl>
  </Dialog>
);
