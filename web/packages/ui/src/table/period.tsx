/**
 * A filter by days: from one, until one, or both. It opens to the two days and to spans that are often meant.
 */
import { Button } from '@heroui/react';
import { CalendarRange } from 'lucide-react';
import { Dialog, DialogTrigger, Popover } from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import { TextInput } from '../fields/fields';
import { lastDays, spanText, type Period } from './days';

interface PeriodChipProps {
  label: string;
  value: Period;
  onChange: (period: Period) => void;
}

const SPANS = [1, 7, 30] as const;

export function PeriodChip({ label, value, onChange }: PeriodChipProps) {
  const { t, i18n } = useTranslation('ui');
  const { from, to } = value;
  const chosen = from !== '' || to !== '';
  const backwards = from !== '' && to !== '' && to < from;
  const span = spanText(value, i18n.language, {
    from: (day) => t('table.period_from', { day }),
    to: (day) => t('table.period_to', { day }),
  });
  return (
    <DialogTrigger>
      <Button size="sm" variant={chosen ? 'primary' : 'secondary'} className="max-w-72 sm:h-9">
        <CalendarRange aria-hidden />
        <span className="truncate">{chosen ? `${label}: ${span}` : label}</span>
      </Button>
      <Popover
        // The dialog inside has the name; this element has no role, so the one that it gets must go.
        // oxlint-disable-next-line jsx-a11y/aria-proptypes
        aria-labelledby=""
        placement="bottom start"
        className="w-72 rounded-xl border border-border bg-overlay p-4 shadow-overlay"
      >
        <Dialog aria-label={label} className="flex flex-col gap-4 outline-none">
          <div className="flex flex-wrap gap-2">
            {SPANS.map((days) => (
              <Button
                key={days}
                size="sm"
                variant="secondary"
                onPress={() => onChange(lastDays(days, new Date()))}
              >
                {t('table.period_last', { count: days })}
              </Button>
            ))}
          </div>
          <TextInput
            label={t('table.period_first')}
            type="date"
            value={from}
            onChange={(day) => onChange({ from: day, to })}
            optional
          />
          <TextInput
            label={t('table.period_end')}
            type="date"
            value={to}
            onChange={(day) => onChange({ from, to: day })}
            error={backwards ? t('table.period_backwards') : undefined}
            optional
          />
          {chosen && (
            <Button size="sm" variant="ghost" onPress={() => onChange({ from: '', to: '' })}>
              {t('table.period_clear')}
            </Button>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
