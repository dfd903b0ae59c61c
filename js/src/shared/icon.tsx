import { Button } from "./button";

const PATHS = {
  play: "M4 2.5v11l9-5.5z",
  pause: "M4 2.5h3v11H4zm5 0h3v11H9z",
  close: "M4 4l8 8m0-8l-8 8",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fold: "M5.5 3.5L10 8l-4.5 4.5",
} as const;

export interface IconButtonProps {
  icon: keyof typeof PATHS;
  /** The accessible name, and the tooltip. */
  label: string;
  disabled?: boolean | undefined;
  onClick: () => void;
}

/** A small picture, drawn in the colour of the text. */
export const Icon = ({ icon }: { icon: keyof typeof PATHS }) => (
  <svg class={`cnnw-svg cnnw-${icon}`} viewBox="0 0 16 16" aria-hidden="true">
    <path d={PATHS[icon]} />
  </svg>
);

export const IconButton = ({ icon, label, disabled, onClick }: IconButtonProps) => (
  <Button class="cnnw-icon" aria-label={label} title={label} disabled={disabled} onClick={onClick}>
    <Icon icon={icon} />
  </Button>
);
