import { useLayoutEffect, useRef } from "preact/hooks";

interface CanvasProps {
  label: string;
  draw: (canvas: HTMLCanvasElement) => void;
}

/** A canvas that is drawn again with everything around it. */
export function Canvas({ label, draw }: CanvasProps) {
  const ref = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => draw(ref.current as HTMLCanvasElement));
  return <canvas ref={ref} role="img" aria-label={label} />;
}
