/** The key was understood: the page does not scroll, and no shortcut further out fires. */
export function handled(event: Event): void {
  event.preventDefault();
  event.stopPropagation();
}

const AHEAD: Record<string, 1 | -1> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** Where arrows, Home and End lead in a list of `count`; undefined for other keys. */
export function move(key: string, at: number, count: number): number | undefined {
  const to =
    key === "Home"
      ? 0
      : key === "End"
        ? count - 1
        : key in AHEAD
          ? at + (AHEAD[key] as number)
          : undefined;
  return to === undefined ? undefined : Math.min(Math.max(to, 0), count - 1);
}

/** Scrolls a box, and nothing around it, until [top, bottom) shows. */
export function reveal(box: HTMLElement, top: number, bottom: number): void {
  if (top < box.scrollTop) box.scrollTop = top;
  else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight;
}
