/** A placeholder until the layers are there. */
export const LayersAt = () => null;
