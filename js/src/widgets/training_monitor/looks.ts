// What a view of the layers shows; it stays while another tab is looked at.
import { signal } from "@preact/signals";
import type { What } from "./held_maps";
import type { Over } from "./maps";

/** How histograms over time are drawn. */
export type View = "heat" | "ridges" | "bands";

export const createLooks = () => ({
  view: signal<View>("heat"),
  /** Have histograms a linear axis? null: as is usual for the quantity. */
  linear: signal<boolean | null>(null),
  /** Which number of the layers is shown: an index into `STATISTICS`. */
  statistic: signal(0),
  /** Which part of the snapshots. */
  what: signal<What>("maps"),
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
