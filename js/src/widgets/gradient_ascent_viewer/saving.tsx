// A file of the film, made by the kernel and downloaded by the browser.
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "../../shared/button";
import { percent } from "../../shared/format";
import type { RequestError } from "../../shared/model";
import { Popup } from "../../shared/popup";
import { NEEDS_KERNEL } from "./describe";
import { useAscent } from "./state";

const FORMATS = [
  ["gif", "GIF", "runs everywhere"],
  ["webp", "WebP", "all colours"],
  ["png", "PNG", "a sheet of pictures"],
  ["mp4", "MP4", "takes ffmpeg"],
] as const;

const lacks = (formats: readonly string[], format: string) =>
  formats.includes(format) ? undefined : "The kernel’s machine has no ffmpeg.";

function download(name: string, data: BlobPart, format: string): void {
  const type = `${format === "mp4" ? "video" : "image"}/${format}`;
  const url = URL.createObjectURL(new Blob([data], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url));
}

/** A box whose content is swapped: the focus goes on to its first button, if it was in it. */
function useSwapped(now: boolean) {
  const box = useRef<HTMLDivElement>(null);
  const inside = useRef(false);
  useLayoutEffect(() => {
    if (inside.current) box.current?.querySelector<HTMLElement>("summary, button")?.focus();
  }, [now]);
  inside.current = !!box.current?.matches(":focus-within");
  return box;
}

export function Saving() {
  const { bridge, alone, film, failed, formats } = useAscent();
  const share = useSignal<number | undefined>(undefined);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  const box = useSwapped(share.value === undefined);
  const save = async (format: string) => {
    abort.current = new AbortController();
    share.value = 0;
    failed.value = undefined;
    try {
      const reply = await bridge.request<{ name: string }>(
        "save",
        { format },
        {
          lane: "save",
          signal: abort.current.signal,
          onProgress: (done, total) => (share.value = done / Math.max(total, 1)),
        },
      );
      const [file] = reply.tensors;
      if (file) download(reply.value.name, file.data as Uint8Array<ArrayBuffer>, format);
    } catch (error) {
      const { cancelled, message } = error as RequestError;
      if (!cancelled) failed.value = message;
    }
    share.value = undefined;
  };
  if (share.value !== undefined)
    return (
      <div ref={box} class="cnnw-ga-row">
        <progress value={share.value} max={1} aria-label="Progress of saving" />
        <output>{percent(Math.round(100 * share.value) / 100)}</output>
        <Button onClick={() => abort.current?.abort()}>Cancel</Button>
      </div>
    );
  return (
    <div ref={box}>
      <Popup label="Save">
        {() => (
          <div class="cnnw-ga-formats">
            {FORMATS.map(([format, label, note]) => (
              <Button
                key={format}
                disabled={alone.value || !film.value || !formats.value.includes(format)}
                title={alone.value ? NEEDS_KERNEL : lacks(formats.value, format)}
                onClick={() => save(format)}
              >
                {label} <small>{note}</small>
              </Button>
            ))}
          </div>
        )}
      </Popup>
    </div>
  );
}
