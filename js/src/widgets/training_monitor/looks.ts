// What a view of the layers shows; it stays while another tab is looked at.
import { signal } from "@preact/signals";
import type { What } from "./held_maps";
import type { Over } from "./maps";
import type { Rows } from "./weight_rows";

/** How histograms over time are drawn, or the weights themselves. */
export type View = "heat" | "ridges" | "bands" | "weights";

export const createLooks = () => ({
  view: signal<View>("heat"),
  /** Have histograms a linear axis? null: as is usual for the quantity. */
  linear: signal<boolean | null>(null),
  /** Of which numbers the weights over time are, and the row that is read. */
  rows: signal<Rows>("weights"),
  row: signal(0),
  /** Which number of the layers is shown: an index into `STATISTICS`. */
  statistic: signal(0),
  /** Which part of the snapshots. */
  what: signal<What>("maps"),
  /** Of the pictures that were logged. */
  tag: signal(""),
  /** How many times as large they are shown. */
  enlarged: signal(1),
  /** Of the probe. */
  picture: signal(0),
  /** Which input of filters; null: in colour where it can be. */
  input: signal<number | "rgb" | null>(null),
  /** Over what colours have their range. */
  over: signal<Over>("run"),
  /** Is the pinned step taken away? */
  differing: signal(false),
  /** Edge of a filter or a map (CSS pixels). */
  tile: signal(64),
  /** The filter or channel that is read. */
  channel: signal(0),
});
