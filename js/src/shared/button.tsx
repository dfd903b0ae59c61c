import type { ComponentProps } from "preact";

export const Button = (props: ComponentProps<"button">) => (
  <button type="button" class="cnnw-button" {...props} />
);
