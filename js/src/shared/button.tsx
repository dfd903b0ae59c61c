import type { ComponentProps } from "preact";

/** A button without a frame; no button sends a form. */
export const PlainButton = (props: ComponentProps<"button">) => <button type="button" {...props} />;

export const Button = (props: ComponentProps<"button">) => (
  <PlainButton class="cnnw-button" {...props} />
);
