/**
 * A QR code (ISO/IEC 18004) drawn by the browser, for what must not leave the page.
 */
import { encode } from 'uqr';

interface QrProps {
  text: string;
  /** What it leads to. */
  label: string;
}

/** Modules of quiet zone that cameras want around it. */
const QUIET = 4;

export function Qr({ text, label }: QrProps) {
  const { data, size } = encode(text, { ecc: 'M', border: QUIET });
  return (
    // White in every theme: cameras want the contrast.
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${size} ${size}`}
      shapeRendering="crispEdges"
      className="size-52 rounded-xl border border-border bg-white"
    >
      <path className="fill-black" d={pathOf(data)} />
    </svg>
  );
}

/** One path of runs of dark modules. */
export function pathOf(modules: readonly (readonly boolean[])[]): string {
  return modules
    .flatMap((row, y) => {
      const runs: string[] = [];
      for (let x = 0; x < row.length; x += 1) {
        if (!row[x]) continue;
        const start = x;
        while (row[x + 1]) x += 1;
        runs.push(`M${start} ${y}h${x - start + 1}v1H${start}z`);
      }
      return runs;
    })
    .join('');
}
