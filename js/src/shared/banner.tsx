import type { ComponentChildren } from "preact";
import { Button } from "./button";
import { IconButton } from "./icon";
import "./banner.css";

export interface BannerProps {
  kind: "error" | "warning" | "info";
  children: ComponentChildren;
  action?: { label: string; onClick: () => void } | undefined;
  onDismiss?: (() => void) | undefined;
}

/** A sentence that says what happened and what to do. */
export function Banner({ kind, children, action, onDismiss }: BannerProps) {
  return (
    <div class={`cnnw-banner cnnw-${kind}`} role={kind === "error" ? "alert" : "status"}>
      <div>{children}</div>
      {action && <Button onClick={action.onClick}>{action.label}</Button>}
      {onDismiss && <IconButton icon="close" label="Dismiss" onClick={onDismiss} />}
    </div>
  );
}
