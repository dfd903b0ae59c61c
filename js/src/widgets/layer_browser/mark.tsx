/** The colour of a family of layers. */
export const Mark = ({ color }: { color: string | undefined }) => (
  <i class="cnnw-lb-mark" style={{ background: color }} />
);
