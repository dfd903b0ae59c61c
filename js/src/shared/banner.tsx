import type { ComponentChildren } from "preact";

export interface BannerProps {
  kind: "error" | "warning" | "info";
  children: ComponentChildren;
  action?: { label: string; onClick: () => void };
  onDismiss?: () => void;
}

/** A sentence that says what happened and what to do. */
export function Banner({ kind, children, action, onDismiss }: BannerProps) {
  return (
    <div class={`cnnw-banner cnnw-${kind}`} role={kind === "error" ? "alert" : "status"}>
      <div>{children}</div>
      {action && (
        <button type="button" class="cnnw-button" onClick={action.onClick}>
          {action.label}
        </button>
      )}
      {onDismiss && (
        <button type="button" class="cnnw-icon" aria-label="Dismiss" onClick={onDismiss}>
          ✕
        </button>
      )}
    </div>
  );
}
