import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Choice } from "./choice";
import { IconButton } from "./icon";
import { isPlaying, type Played, play } from "./playing";
import { Slider } from "./slider";
import "./player.css";

const SPEEDS = [
  [0.25, "¼×"],
  [0.5, "½×"],
  [1, "1×"],
  [2, "2×"],
  [4, "4×"],
] as const;

interface PlayerProps {
  /** What is gone through: "Step". */
  label: string;
  /** Of an identity that lasts. */
  played: Played;
  /** What the button says. */
  words?: readonly [play: string, pause: string];
  format: (place: number) => string;
  children?: ComponentChildren;
}

/** A slider over a range that can be played; it stops at the end, and where the reader goes elsewhere. */
export function Player({
  label,
  played,
  words = ["Play", "Pause"],
  format,
  children,
}: PlayerProps) {
  const { range, at, playing, speed, go } = played;
  useEffect(() => play(played), [played]);
  const [min, max] = range();
  const disabled = min >= max;
  const on = isPlaying(played);
  return (
    <div class="cnnw-player">
      <IconButton
        icon={on ? "pause" : "play"}
        label={words[on ? 1 : 0]}
        disabled={disabled}
        onClick={() => (playing.value = !on)}
      />
      <Slider
        {...{ label, min, max, disabled, format }}
        value={at()}
        onInput={(to) => {
          playing.value = false;
          go(to);
        }}
      />
      {speed && <Choice label="Speed" of={speed} options={SPEEDS} />}
      {children}
    </div>
  );
}
