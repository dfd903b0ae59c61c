import { afterEach, expect, it } from "vitest";

async function packed(text: string): Promise<string> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return btoa(String.fromCharCode(...new Uint8Array(await new Response(stream).arrayBuffer())));
}

const ESM = `export default { render({ model, el, signal }) {
  el.dataset.signal = String(signal instanceof AbortSignal);
  el.textContent = model.get("name") + " " + new TextDecoder().decode(model.get("data").bytes);
  model.on("msg:custom", (message) => { el.dataset.reply = message.error ?? message.value; });
  model.send({ kind: "request", id: "1", name: "map", args: { channel: 2 } });
} };`;

async function page(changes: object = {}): Promise<HTMLElement> {
  const el = document.createElement("div");
  const saved = document.createElement("script");
  saved.type = "application/json";
  saved.className = "cnnw-document";
  saved.textContent = JSON.stringify({
    title: "A page",
    state: { name: "<b>conv</b>", data: {} },
    buffers: [{ path: ["data", "bytes"], data: await packed("bytes") }],
    replies: [{ name: "map", args: { channel: 2 }, value: "recorded", tensors: [] }],
    esm: ESM,
    css: ".cnnw-tried { color: rgb(1, 2, 3) }",
    ...changes,
  });
  document.body.replaceChildren(el, saved);
  return el;
}

afterEach(() => document.body.replaceChildren());

it("mounts the recorded widget: its front-end, style, state and answers", async () => {
  const el = await page();
  await import("./index?1" as string);
  expect(el.textContent).toBe("<b>conv</b> bytes");
  expect(el.dataset.signal).toBe("true");
  await expect.poll(() => el.dataset.reply).toBe("recorded");
  const tried = document.body.appendChild(document.createElement("i"));
  tried.className = "cnnw-tried";
  expect(getComputedStyle(tried).color).toBe("rgb(1, 2, 3)");
});

it("says on the page when it cannot be shown", async () => {
  const el = await page({ esm: "throw new Error('too old')" });
  await expect(import("./index?2" as string)).rejects.toThrow();
  expect(el.textContent).toContain("too old");
});
