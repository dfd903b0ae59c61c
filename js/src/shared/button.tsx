import type { ComponentProps } from "preact";

/** A framed button; it never sends a form. */
export const Button = (props: ComponentProps<"button">) => (
  <button type="button" class="cnnw-button" {...props} />
);
