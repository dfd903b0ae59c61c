// The pictures on top, what the network makes of them, and where to get others.
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { Button, PlainButton } from "../../shared/button";
import { drawPicture } from "../../shared/canvas";
import { type Tensor, unpack } from "../../shared/wire";
import { PredictionBars } from "./predictions";
import { type Shown, useBrowser } from "./state";
import { type Choice, SLOTS, type Slot } from "./types";
import { tell, upload } from "./upload";

function PictureCanvas({ picture, label }: { picture: Tensor; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => drawPicture(canvas.current as HTMLCanvasElement, picture), [picture]);
  return <canvas ref={canvas} role="img" aria-label={label} />;
}

export function Pictures() {
  const { shown, slot } = useBrowser();
  const comparing = slot.value === "b" || shown.value.length > 1;
  return (
    <div class="cnnw-lb-top">
      {SLOTS.slice(0, comparing ? 2 : 1).map((one) => (
        <Card
          key={one}
          slot={one}
          shown={shown.value.find((s) => s.slot === one)}
          comparing={comparing}
        />
      ))}
      <Picker comparing={comparing} />
    </div>
  );
}

/** Other pictures need the kernel; an exported page has none. */
function Picker({ comparing }: { comparing: boolean }) {
  const { bridge, choices } = useBrowser();
  const status = bridge.status.value;
  if (status === "replay") return null;
  return (
    <fieldset class="cnnw-lb-picker" disabled={status === "gone"}>
      {choices.value?.length ? (
        <fieldset aria-label="Pictures to choose from">
          {choices.value.map((choice, index) => (
            <ChoiceButton key={index} {...{ choice, index }} />
          ))}
        </fieldset>
      ) : null}
      <PictureButtons comparing={comparing} />
    </fieldset>
  );
}

interface CardProps {
  slot: Slot;
  shown: Shown | undefined;
  comparing: boolean;
}

function Card({ slot, shown, comparing }: CardProps) {
  const { slot: active } = useBrowser();
  const name = shown?.name ?? "none";
  const label = comparing ? `${slot.toUpperCase()}: ${name}` : name;
  return (
    <div class="cnnw-lb-card" data-slot={slot}>
      <figure>
        {shown ? (
          <PictureCanvas picture={shown.picture} label={`${name}, as the network sees it`} />
        ) : (
          <div>Drop or choose a {slot === "b" ? "second picture to compare" : "picture"}</div>
        )}
        <figcaption title={label}>
          {comparing ? (
            <label>
              <input
                type="radio"
                checked={active.value === slot}
                onChange={() => (active.value = slot)}
              />
              {label}
            </label>
          ) : (
            label
          )}
        </figcaption>
      </figure>
      <PredictionBars slot={slot} />
    </div>
  );
}

function ChoiceButton({ choice: { name, thumbnail }, index }: { choice: Choice; index: number }) {
  const state = useBrowser();
  const { bridge, slot, shown } = state;
  const picture = useMemo(() => unpack(thumbnail), [thumbnail]);
  return (
    <PlainButton
      title={name}
      aria-label={`Show ${name}`}
      aria-current={shown.value.some(({ choice }) => choice === index)}
      data-choice={index}
      onClick={() => void tell(state, bridge.request("pick", { slot: slot.value, index }))}
    >
      <PictureCanvas picture={picture} label="" />
    </PlainButton>
  );
}

function PictureButtons({ comparing }: { comparing: boolean }) {
  const state = useBrowser();
  const { bridge, slot, shown } = state;
  const file = useRef<HTMLInputElement>(null);
  const compare = () => {
    slot.value = comparing ? "a" : "b";
    if (shown.value.length > 1) void tell(state, bridge.request("clear", { slot: "b" }));
  };
  return (
    <div>
      <input
        ref={file}
        type="file"
        accept="image/*"
        hidden
        onChange={({ currentTarget }) => {
          if (currentTarget.files?.length) upload(state, currentTarget.files[0]);
          currentTarget.value = "";
        }}
      />
      <Button title="or drop or paste one anywhere here" onClick={() => file.current?.click()}>
        Upload a picture
      </Button>
      <Button aria-pressed={comparing} onClick={compare}>
        Compare
      </Button>
    </div>
  );
}
