/**
 * A short list whose order matters, such as codecs or the lines of a device.
 */
import { Button } from '@heroui/react';
import { ArrowDown, ArrowUp, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { moved } from './order';

export interface OrderedItem {
  id: string;
  name: string;
  content?: ReactNode;
}

interface OrderedListProps {
  label: string;
  items: OrderedItem[];
  onChange: (ids: string[]) => void;
  /** How many must stay. */
  least?: number;
}

export function OrderedList({ label, items, onChange, least = 0 }: OrderedListProps) {
  const { t } = useTranslation('ui');
  const ids = items.map(({ id }) => id);
  return (
    <ol aria-label={label} className="divide-y divide-separator rounded-lg border border-border bg-surface">
      {items.map(({ id, name, content }, index) => (
        <li key={id} className="flex items-center gap-2 py-1 ps-3 pe-1">
          <span className="w-4 shrink-0 text-xs text-muted tabular-nums">{index + 1}</span>
          <div className="min-w-0 flex-1 py-1">{content ?? name}</div>
          <Button
            isIconOnly
            size="sm"
            variant="ghost"
            isDisabled={index === 0}
            aria-label={t('ordered.move_up', { name })}
            onPress={() => onChange(moved(ids, index, index - 1))}
          >
            <ArrowUp aria-hidden />
          </Button>
          <Button
            isIconOnly
            size="sm"
            variant="ghost"
            isDisabled={index === items.length - 1}
            aria-label={t('ordered.move_down', { name })}
            onPress={() => onChange(moved(ids, index, index + 1))}
          >
            <ArrowDown aria-hidden />
          </Button>
          <Button
            isIconOnly
            size="sm"
            variant="ghost"
            isDisabled={items.length <= least}
            aria-label={t('ordered.remove', { name })}
            onPress={() => onChange(ids.filter((other) => other !== id))}
          >
            <X aria-hidden />
          </Button>
        </li>
      ))}
    </ol>
  );
}
