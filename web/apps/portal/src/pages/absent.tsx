/**
 * In place of what is not there yet: grey bars, or why it could not be loaded.
 */
import { Refusal } from '@tandem/api';
import { Failure, Placeholder } from '@tandem/ui';

interface AbsentProps {
  data: unknown;
  error: Error | null;
  onRetry: () => void;
  /** Grey bars, as many as rows are expected. */
  rows?: number;
}

export function Absent({ data, error, onRetry, rows = 4 }: AbsentProps) {
  if (data !== undefined) return null;
  if (!error) return <Placeholder rows={rows} />;
  return <Failure detail={error instanceof Refusal ? error.message : undefined} onRetry={onRetry} />;
}
