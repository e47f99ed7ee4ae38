/**
 * In place of what is not there yet: grey bars, or why it could not be loaded.
 */
import { Failure, Placeholder } from '@tandem/ui';

import { useRefusalText } from '../refusals/use-sentence';

interface AbsentProps {
  data: unknown;
  error: Error | null;
  onRetry: () => void;
  /** Grey bars, as many as rows are expected. */
  rows?: number;
}

/** One of several things that are read. */
export interface Read {
  data: unknown;
  error: Error | null;
  refetch: () => unknown;
}

/** In place of what needs all of `reads`. */
export function AbsentAny({ reads, rows }: { reads: readonly Read[]; rows?: number }) {
  const missing = reads.filter(({ data }) => data === undefined);
  if (missing.length === 0) return null;
  const failed = missing.find(({ error }) => error !== null);
  return (
    <Absent
      data={undefined}
      error={failed?.error ?? null}
      onRetry={() => {
        for (const { refetch } of missing) void refetch();
      }}
      {...(rows === undefined ? {} : { rows })}
    />
  );
}

export function Absent({ data, error, onRetry, rows = 4 }: AbsentProps) {
  if (data !== undefined) return null;
  if (!error) return <Placeholder rows={rows} />;
  return <Failed error={error} onRetry={onRetry} />;
}

interface FailedProps {
  error: unknown;
  onRetry: () => void;
}

/** Why something could not be read, and another try. */
export function Failed({ error, onRetry }: FailedProps) {
  return <Failure detail={useRefusalText()(error)} onRetry={onRetry} />;
}
