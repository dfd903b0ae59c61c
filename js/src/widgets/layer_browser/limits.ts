// How much is listed at once before the reader asks for more.

/** Classes in the list of gradient targets. */
export const TARGET_LIST = 1000;
/** Vectors up to this many units are drawn as labelled bars. */
export const LABELLED_UNITS = 40;
/** Classes shown of a softmax. */
export const CLASSES_SHOWN = 20;
/** Kernels up to this size have their numbers written into the cells. */
export const WRITTEN_KERNEL = 7;
/** A part of an uploaded file, below what a notebook server lets through. */
export const UPLOAD_PART = 4 * 2 ** 20;
/** Edge of a tile, CSS pixels. */
export const TILE_SIZE = { min: 48, max: 240, step: 8 };
