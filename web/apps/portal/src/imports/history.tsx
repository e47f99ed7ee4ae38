/**
 * The imports there have been: what became of each, and the way back while there is one.
 */
import { isUnderWay, useImports, type Import } from '@tandem/api';
import { DataTable, DateTime, StatusBadge, useNow, type TableColumn } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { Absent } from '../pages/absent';
import { useTenant } from '../tenant';
import { canUndo, STATE_TONES } from './model';
import { Forget, Undo } from './undo';

export function History() {
  const { t } = useTranslation();
  const { tenant, path, mayChange } = useTenant();
  const { data, error, refetch } = useImports(tenant.id);
  const columns = useColumns(mayChange);
  return (
    <section>
      <h2 className="mb-3 text-base font-semibold">{t('imports.history')}</h2>
      <Absent data={data} error={error} onRetry={() => void refetch()} rows={2} />
      {data?.length === 0 && <p className="text-muted">{t('imports.no_history')}</p>}
      {data && data.length > 0 && (
        <DataTable<Import>
          label={t('imports.history')}
          columns={columns}
          items={data}
          nameOf={({ file_name }) => file_name}
          href={({ id }) => path(`/contacts/import/${id}`)}
        />
      )}
    </section>
  );
}

function useColumns(mayChange: boolean): TableColumn<Import>[] {
  const { t } = useTranslation();
  const now = useNow();
  const columns: TableColumn<Import>[] = [
    {
      id: 'file',
      title: t('imports.file'),
      share: 2,
      cell: ({ file_name, made_by }) => (
        <span>
          <span className="block font-medium wrap-anywhere">{file_name}</span>
          <span className="block text-xs break-all text-muted">{made_by}</span>
        </span>
      ),
    },
    {
      id: 'at',
      title: t('imports.at'),
      cell: ({ created_at }) => <DateTime at={created_at} />,
    },
    { id: 'state', title: t('imports.state_title'), cell: (plan) => <StateBadge plan={plan} /> },
    {
      id: 'counts',
      title: t('imports.rows_title'),
      from: 'lg',
      cell: ({ create, update, refused }) => (
        <span className="text-xs text-muted">{t('imports.counts', { create, update, refused })}</span>
      ),
    },
  ];
  if (!mayChange) return columns;
  return [
    ...columns,
    {
      id: 'actions',
      title: t('imports.actions'),
      plain: true,
      cell: (plan) => (
        <span className="flex gap-1.5">
          {canUndo(plan, now) && <Undo plan={plan} small />}
          {!isUnderWay(plan) && <Forget plan={plan} />}
        </span>
      ),
    },
  ];
}

export function StateBadge({ plan }: { plan: Import }) {
  const { t } = useTranslation();
  return <StatusBadge tone={STATE_TONES[plan.state]}>{t(`imports.state.${plan.state}`)}</StatusBadge>;
}
