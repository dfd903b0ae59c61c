// The script of a saved page: shows a recorded widget without a kernel, offline.
import { ReplayModel, restore, type SavedPage } from "./replay";

const STYLE = "html{color-scheme:light dark}body{margin:12px;background:light-dark(#fff,#15181c)}";

function style(text: string): void {
  const element = document.createElement("style");
  element.textContent = text;
  document.head.append(element);
}

async function mount(saved: Element): Promise<void> {
  const el = saved.previousElementSibling as HTMLElement;
  try {
    const page = JSON.parse(saved.textContent ?? "") as SavedPage;
    document.title ||= page.title;
    style(page.css);
    const model = new ReplayModel(await restore(page), page.replies);
    const url = URL.createObjectURL(new Blob([page.esm], { type: "text/javascript" }));
    const { default: widget } = await import(/* @vite-ignore */ url);
    URL.revokeObjectURL(url);
    widget.render({ model, el, signal: new AbortController().signal });
  } catch (error) {
    el.textContent = `This page cannot be shown by this browser: ${(error as Error).message}`;
    throw error;
  }
}

style(STYLE);
await Promise.all(Array.from(document.getElementsByClassName("cnnw-document"), mount));
