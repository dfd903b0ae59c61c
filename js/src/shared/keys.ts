/** The key was understood: the page does not scroll, and no shortcut further out fires. */
export function handled(event: Event): void {
  event.preventDefault();
  event.stopPropagation();
}

/**
 * Keeps plain keys in the widget: the host matches its own with the focused element before it
 * meets the attribute of the root.
 */
export function keep(event: KeyboardEvent): void {
  if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
}

/** Where arrows, Home and End lead in a list of `count`; undefined for other keys. */
export function move(key: string, at: number, count: number): number | undefined {
  const steps: Record<string, number> = {
    Home: -at,
    End: count - 1 - at,
    ArrowLeft: -1,
    ArrowUp: -1,
    ArrowRight: 1,
    ArrowDown: 1,
  };
  const step = steps[key];
  return step === undefined ? step : Math.min(Math.max(at + step, 0), count - 1);
}

/** Scrolls a box, and nothing around it, until [top, bottom) shows. */
export function reveal(box: HTMLElement, top: number, bottom: number): void {
  if (top < box.scrollTop) box.scrollTop = top;
  else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight;
}
