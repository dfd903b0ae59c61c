// Which cell of a receipt is read: the one under the pointer, or the one that the keys have reached.
import { gridMove } from "../../shared/grid_window";
import { handled } from "../../shared/keys";

export interface Cell {
  /** Which channel of the patch. */
  index: number;
  row: number;
  column: number;
}

/** The cell that an event is on. */
export function cellAt({ target }: Event): Cell | undefined {
  const cell = (target as Element).closest("td");
  if (!cell) return undefined;
  const { index } = cell.closest<HTMLElement>("[data-index]")?.dataset ?? {};
  const { rowIndex } = cell.parentElement as HTMLTableRowElement;
  return { index: Number(index), row: rowIndex, column: cell.cellIndex };
}

/** Arrow keys go through the products of all channels that are shown, Home and End to the ends. */
export function onCellKey(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const { currentTarget: box, key, target } = event;
  const cells = [...box.querySelectorAll<HTMLElement>("table:last-of-type td")];
  const columns = box.querySelector("tr")?.childElementCount ?? 1;
  const at = cells.indexOf(target as HTMLElement);
  const to = gridMove(key, at, columns, cells.length);
  if (to === undefined) return;
  handled(event);
  cells[at < 0 ? 0 : to]?.focus();
}
