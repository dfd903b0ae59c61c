/** A placeholder until the histograms are there. */
export const Histograms = () => null;
