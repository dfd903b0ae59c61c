// Patches that stay on the picture, and act together with the one that is moved.
import { useRef } from "preact/hooks";
import { Button, PlainButton } from "../../shared/button";
import { count } from "../../shared/format";
import { IconButton } from "../../shared/icon";
import { handled } from "../../shared/keys";
import { at } from "./describe";
import { drop, keep, put, useSlider } from "./state";
import type { Box } from "./types";

const NEEDS = "Keeping patches needs the kernel.";

export function KeptPatches() {
  const state = useSlider();
  const { kept, window, alone } = state;
  const list = useRef<HTMLUListElement>(null);
  const remove = (box: Box, i: number) => {
    drop(state, box);
    const others = [
      ...(list.current?.querySelectorAll<HTMLElement>("li > button:first-child") ?? []),
    ];
    const next =
      others[i + 1] ?? others[i - 1] ?? list.current?.parentElement?.querySelector("button");
    next?.focus();
  };
  return (
    <div class="cnnw-os-kept">
      <div>
        <Button
          title={
            alone.value
              ? NEEDS
              : "Leave a patch here and go on with another: click it, or press Enter on the picture"
          }
          disabled={alone.value}
          onClick={() => keep(state)}
        >
          Keep patch
        </Button>
        {kept.value.length > 0 && (
          <Button disabled={alone.value} onClick={() => (kept.value = [])}>
            Clear
          </Button>
        )}
      </div>
      <ul aria-label="Kept patches" ref={list}>
        {kept.value.map((box, i) => {
          const [row, column, edge] = box;
          const place = { row, column };
          return (
            <li
              key={`${box}`}
              onKeyDown={(event) => {
                if (event.key !== "Delete" && event.key !== "Backspace") return;
                handled(event);
                remove(box, i);
              }}
            >
              <PlainButton
                title="Move the patch there; Delete removes this one"
                disabled={alone.value}
                onClick={() => {
                  window.value = edge;
                  put(state, place, edge);
                }}
              >
                <b>{count(i + 1)}</b> {count(edge)} × {count(edge)} at {at(place)}
              </PlainButton>
              <IconButton
                icon="close"
                label={`Remove patch ${i + 1}`}
                disabled={alone.value}
                onClick={() => remove(box, i)}
              />
            </li>
          );
        })}
      </ul>
    </div>
  );
}
