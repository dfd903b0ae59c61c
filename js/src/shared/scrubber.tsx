import { useEffect } from "preact/hooks";
import { count } from "./format";
import { IconButton } from "./icon";
import { FRAMES_PER_SECOND } from "./look";
import { Slider } from "./slider";
import "./scrubber.css";

export interface ScrubberProps {
  /** What the steps count: "step", "epoch". */
  label: string;
  /** The number at each stop, ascending: the recorded training steps. */
  steps: ArrayLike<number>;
  /** The current stop: an index into `steps`. */
  index: number;
  playing: boolean;
  framesPerSecond?: number | undefined;
  onInput: (index: number) => void;
  onPlay: (playing: boolean) => void;
}

/** A slider over recorded steps that can play; it stops at the last one. */
export function Scrubber(p: ScrubberProps) {
  const { label, steps, index, playing, framesPerSecond = FRAMES_PER_SECOND, onInput, onPlay } = p;
  const last = steps.length - 1;
  useEffect(() => {
    if (!playing) return;
    if (index >= last) return onPlay(false);
    const timer = setTimeout(() => onInput(index + 1), 1000 / framesPerSecond);
    return () => clearTimeout(timer);
  }, [playing, index, last, framesPerSecond]);
  const toggle = () => {
    if (!playing && index >= last) onInput(0);
    onPlay(!playing);
  };
  return (
    <div class="cnnw-scrubber">
      <IconButton
        icon={playing ? "pause" : "play"}
        label={playing ? "Pause" : "Play"}
        disabled={last < 1}
        onClick={toggle}
      />
      <Slider
        label={label}
        value={index}
        min={0}
        max={Math.max(last, 0)}
        disabled={last < 1}
        format={(i) => count(steps[i] ?? 0)}
        onInput={(i) => {
          onPlay(false);
          onInput(i);
        }}
      />
    </div>
  );
}
