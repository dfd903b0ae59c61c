/** A placeholder until the snapshots are there. */
export const Snapshots = () => null;
