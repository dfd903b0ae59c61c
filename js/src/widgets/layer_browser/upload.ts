// Pictures of the reader's own: files chosen, dropped or pasted.
import { useSignal } from "@preact/signals";
import { UPLOAD_PART } from "./limits";
import { complaint } from "./resources";
import type { State } from "./state";
import type { Slot } from "./types";

/** Runs a request that changes the pictures; a failure becomes the notice on top. */
export async function tell(state: State, work: Promise<unknown>): Promise<void> {
  state.notice.value = undefined;
  try {
    await work;
  } catch (error) {
    state.notice.value = complaint(error);
  }
}

async function send({ bridge }: State, file: File, slot: Slot): Promise<void> {
  const bytes = await file.arrayBuffer();
  const parts = Math.max(1, Math.ceil(bytes.byteLength / UPLOAD_PART));
  for (let part = 0; part < parts; part++) {
    const piece = bytes.slice(part * UPLOAD_PART, (part + 1) * UPLOAD_PART);
    await bridge.request("upload", { slot, name: file.name, part, parts }, { buffers: [piece] });
  }
}

const pictureIn = (data: DataTransfer | null): File | undefined =>
  [...(data?.files ?? [])].find(({ type }) => type.startsWith("image/"));

/** Sends the file to the kernel as the picture of the active slot. */
export function upload(state: State, file: File | undefined): void {
  if (file) void tell(state, send(state, file, state.slot.value));
  else state.notice.value = "That is not a picture. Use a PNG, JPEG, WebP or GIF file.";
}

/** Takes what is dropped or pasted anywhere in an element; `dropping` while a file hangs over it. */
export function useFiles(state: State) {
  const dropping = useSignal(false);
  const drag = (inside: boolean) => (event: DragEvent) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    dropping.value = inside;
  };
  return {
    dropping,
    onDragOver: drag(true),
    onDragLeave: drag(false),
    onDrop(event: DragEvent) {
      drag(false)(event);
      if (event.dataTransfer?.files.length) upload(state, pictureIn(event.dataTransfer));
    },
    onPaste(event: ClipboardEvent) {
      const picture = pictureIn(event.clipboardData);
      if (picture) upload(state, picture);
    },
  };
}
