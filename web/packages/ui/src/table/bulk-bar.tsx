/**
 * What can be done with the rows that are selected. It stands at the bottom of the window while any are.
 */
import { Button } from '@heroui/react';
import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { Total } from './data-table';

/** Going beyond the rows that were read to all that the search and the filters leave in. */
interface All {
  total: Total;
  chosen: boolean;
  onChoose: () => void;
}

interface BulkBarProps {
  count: number;
  /** Absent: the selected rows are all there is, or all that something can be done with. */
  all?: All | undefined;
  onClear: () => void;
  children: ReactNode;
}

export function BulkBar({ count, all, onClear, children }: BulkBarProps) {
  const { t, i18n } = useTranslation('ui');
  const number = new Intl.NumberFormat(i18n.language);
  const total = all && `${all.total.exact ? '' : '>\u202f'}${number.format(all.total.count)}`;
  return (
    <div
      role="region"
      aria-label={t('table.selection')}
      className="sticky bottom-3 z-10 mx-auto mt-3 flex w-fit max-w-full flex-wrap items-center gap-2 rounded-xl border border-border bg-overlay px-3 py-2 shadow-overlay"
    >
      <span aria-live="polite" className="px-1 text-sm font-medium tabular-nums">
        {all?.chosen ? t('table.selected_all', { total }) : t('table.selected', { count })}
      </span>
      {all && !all.chosen && (
        <Button size="sm" variant="ghost" onPress={all.onChoose}>
          {t('table.select_all_matching', { total })}
        </Button>
      )}
      {children}
      <Button isIconOnly size="sm" variant="ghost" aria-label={t('table.select_none')} onPress={onClear}>
        <X aria-hidden />
      </Button>
    </div>
  );
}
