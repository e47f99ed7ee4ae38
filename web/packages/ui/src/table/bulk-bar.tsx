/**
 * What can be done with the rows that are selected. It stands at the bottom of the window while any are.
 */
import { Button } from '@heroui/react';
import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

interface BulkBarProps {
  count: number;
  onClear: () => void;
  children: ReactNode;
}

export function BulkBar({ count, onClear, children }: BulkBarProps) {
  const { t } = useTranslation('ui');
  return (
    <div
      role="region"
      aria-label={t('table.selection')}
      className="sticky bottom-3 z-10 mx-auto mt-3 flex w-fit max-w-full flex-wrap items-center gap-2 rounded-xl border border-border bg-overlay px-3 py-2 shadow-overlay"
    >
      <span aria-live="polite" className="px-1 text-sm font-medium tabular-nums">
        {t('table.selected', { count })}
      </span>
      {children}
      <Button isIconOnly size="sm" variant="ghost" aria-label={t('table.select_none')} onPress={onClear}>
        <X aria-hidden />
      </Button>
    </div>
  );
}
