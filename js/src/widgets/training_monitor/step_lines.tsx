import type { Frame } from "./plot";
import { useMonitor } from "./state";

/** Lines at the chosen and at the pinned step; they alone are drawn again when it changes. */
function StepLines({ frame: { across, top, bottom } }: { frame: Frame }) {
  const { step, pinned } = useMonitor();
  const line = (at: number, name: string) => (
    <line class={`cnnw-tm-${name}`} x1={across(at)} x2={across(at)} y1={top} y2={bottom} />
  );
  return (
    <>
      {pinned.value !== null && line(pinned.value, "pin")}
      {line(step.value, "step")}
    </>
  );
}

export const stepLines = (frame: Frame) => <StepLines frame={frame} />;
