/** Why there are gaps between snapshots. */
export const SPARSE = ": snapshots are taken as often as makes training at most 3 % longer";

/** What is hatched in a figure. */
export const HatchKey = ({ why = "" }: { why?: string }) => (
  <p class="cnnw-tm-key">
    <span>
      <i class="cnnw-tm-swatch cnnw-tm-hatch" />
      not recorded{why}
    </span>
  </p>
);
