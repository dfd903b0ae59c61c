/** What is hatched in a figure. */
export const HatchKey = ({ why = "" }: { why?: string }) => (
  <p class="cnnw-tm-key">
    <span>
      <i class="cnnw-tm-swatch cnnw-tm-hatch" />
      not recorded{why}
    </span>
  </p>
);
