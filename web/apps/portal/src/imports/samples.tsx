/**
 * What stands in the first rows of a column; of numbers, what would be kept.
 */
import type { ImportPreviewColumn } from '@tandem/api';
import { useTranslation } from 'react-i18next';

interface SamplesProps {
  samples: readonly string[];
  /** What would be kept of each as a number; absent: they are no numbers. */
  numbers: ImportPreviewColumn['numbers'] | undefined;
}

export function Samples({ samples, numbers }: SamplesProps) {
  const { t } = useTranslation();
  const different = new Map(samples.map((sample, at) => [sample, numbers && (numbers[at] ?? null)]));
  different.delete('');
  if (different.size === 0) return <p className="text-sm text-muted sm:pt-8">{t('imports.no_samples')}</p>;
  return (
    <ul
      aria-label={t('imports.samples')}
      className="flex min-w-0 flex-wrap gap-x-1.5 gap-y-1 text-sm text-muted sm:pt-8"
    >
      {[...different].map(([sample, kept]) => (
        <li key={sample} className="max-w-full truncate rounded bg-default px-1.5 py-0.5">
          {sample}
          {kept === null && <span className="font-medium text-foreground"> → {t('imports.no_number')}</span>}
          {kept && kept !== plain(sample) && <> → {kept}</>}
        </li>
      ))}
    </ul>
  );
}

/** A number without what only makes it easier to read. */
function plain(number: string): string {
  return number.replaceAll(/[\s./()-]/g, '');
}
