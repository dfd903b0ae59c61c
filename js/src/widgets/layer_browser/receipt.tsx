// How one unit of a convolution gets its value: asks for the receipt and shows it in view.
import { useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "../../shared/button";
import { CopyCode } from "./copy";
import { useReplies, Waiting } from "./loading";
import { Sum } from "./receipt_sum";
import type { Source } from "./resources";
import { focusView, useBrowser } from "./state";
import type { ReceiptValue } from "./types";

export interface ReceiptProps {
  source: Source;
  channel: number;
  unit: [number, number];
}

export function Receipt({ source, channel, unit: [row, column] }: ReceiptProps) {
  const { unit, shown, root } = useBrowser();
  const lane = "receipt";
  const answers = useReplies<ReceiptValue>(lane, [{ ...source, channel, row, column }], lane);
  const reply = answers.replies?.[0];
  // Again once it is long enough to scroll to.
  const section = useInView([row, column, channel, !reply]);
  useLayoutEffect(
    () => () => {
      if (section.current?.matches(":focus-within")) focusView(root);
    },
    [],
  );
  return (
    <section
      ref={section}
      aria-label="Receipt of one unit"
      data-current={answers.current || !!answers.error}
    >
      <header>
        <h4>
          Receipt of row {row}, column {column}, channel {channel}
          {shown.value.length > 1 && `, picture ${source.slot.toUpperCase()}`}
        </h4>
        {reply && <CopyCode code={reply.value.code} />}
        <Button onClick={() => (unit.value = null)}>Close</Button>
      </header>
      {reply && !answers.error ? (
        <Sum value={reply.value} tensors={reply.tensors} />
      ) : (
        <Waiting answers={answers} />
      )}
    </section>
  );
}

/** Where the receipt stands below the pictures, its head comes into view. */
function useInView(whenever: unknown[]) {
  const section = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const { current } = section;
    const box = current?.parentElement;
    if (!current || !box || current.offsetTop - box.offsetTop <= box.clientHeight / 2) return;
    box.scrollTop = current.offsetTop - box.offsetTop;
    current.firstElementChild?.scrollIntoView({ block: "nearest" });
  }, whenever);
  return section;
}
