/**
 * Below a table: which rows are in view, how many there are, and whether more are coming.
 *
 * It follows the scrolling itself, so that the rows are not made anew with every step.
 */
import { Spinner } from '@heroui/react';
import { useEffect, useMemo, type ReactNode, type RefObject } from 'react';
import { useTranslation } from 'react-i18next';

import type { Item, Total } from './data-table';
import { useRowsInView } from './rows-in-view';

/** Scrolling has come to rest when it paused this long. */
const REST_MS = 300;

interface PositionProps {
  box: RefObject<HTMLElement | null>;
  items: readonly Item[];
  before?: number;
  total?: Total | undefined;
  onMore?: (() => void) | undefined;
  pending?: boolean;
  failed?: boolean;
  onScroll?: ((row: number) => void) | undefined;
  footer?: ReactNode;
}

export function Position(props: PositionProps) {
  const { box, items, before = 0, total, onMore, pending, failed, onScroll, footer } = props;
  const { t, i18n } = useTranslation('ui');
  const places = useMemo(() => new Map(items.map(({ id }, index) => [id, before + index])), [items, before]);
  const range = useRowsInView(box, places);
  const first = range?.first;
  useEffect(() => {
    if (first === undefined || !onScroll) return;
    const timer = setTimeout(() => onScroll(first), REST_MS);
    return () => clearTimeout(timer);
  }, [first, onScroll]);

  const number = new Intl.NumberFormat(i18n.language);
  const known = total ?? { count: before + items.length, exact: onMore === undefined };
  const place = {
    first: number.format((range?.first ?? before) + 1),
    last: number.format((range?.last ?? before + items.length - 1) + 1),
    total: number.format(known.count),
  };
  return (
    <div className="flex min-h-10 flex-wrap items-center gap-x-4 gap-y-2 border-t border-separator px-4 py-2 text-xs text-muted">
      <span className="tabular-nums" data-testid="table-position">
        {t(known.exact ? 'table.position' : 'table.position_more', place)}
      </span>
      {pending && (
        <span role="status" aria-label={t('loading')}>
          <Spinner size="sm" />
        </span>
      )}
      {failed && (
        <span role="alert" className="flex items-center gap-2 text-danger">
          {t('table.failed')}
          <button type="button" className="button button--sm button--secondary" onClick={onMore}>
            {t('error.retry')}
          </button>
        </span>
      )}
      {footer}
    </div>
  );
}
