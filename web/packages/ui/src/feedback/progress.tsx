/**
 * How far something has come.
 */
import { Label, ProgressBar as Bar } from 'react-aria-components';

interface ProgressBarProps {
  label: string;
  /** Absent: nobody knows. */
  value?: number;
  most?: number;
}

export function ProgressBar({ label, value, most = 100 }: ProgressBarProps) {
  return (
    <Bar
      value={value ?? 0}
      maxValue={most}
      isIndeterminate={value === undefined}
      className="flex flex-col gap-1.5"
    >
      {({ percentage, valueText, isIndeterminate }) => (
        <>
          <span className="flex justify-between gap-4 text-sm">
            <Label>{label}</Label>
            <span className="text-muted tabular-nums">{valueText}</span>
          </span>
          <svg
            className="h-2 w-full rounded-full bg-default"
            viewBox="0 0 100 1"
            preserveAspectRatio="none"
            aria-hidden
          >
            <rect
              width={isIndeterminate ? 30 : (percentage ?? 0)}
              height="1"
              className={`fill-accent ${isIndeterminate ? 'animate-pulse' : ''}`}
            />
          </svg>
        </>
      )}
    </Bar>
  );
}
