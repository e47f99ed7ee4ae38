/**
 * The rows of an import: how many do what, each with what it changes or what is wrong with it.
 */
import { useImportRows, type Import, type ImportRow } from '@tandem/api';
import {
  DataTable,
  NothingFound,
  PLAIN,
  StatusBadge,
  TableTools,
  type TableColumn,
  type TableFilter,
} from '@tandem/ui';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useListAddress } from '../lists/state';
import { Absent } from '../pages/absent';
import { Nothing } from '../pages/nothing';
import { useTenant } from '../tenant';
import { RESULT_TONES, RESULTS, ROW_STATES } from './model';
import { RowDialog } from './row-dialog';
import { useRowWords } from './row-words';

/** The table knows rows by text. */
type Shown = Omit<ImportRow, 'id'> & { id: string };

export function PlanRows({ plan }: { plan: Import }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const { state, setState } = useListAddress(['result', 'state']);
  const [open, setOpen] = useState<ImportRow>();
  const results = RESULTS.filter((result) => state.filters.result?.includes(result));
  const states = ROW_STATES.filter((known) => state.filters.state?.includes(known));
  const rows = useImportRows(tenant.id, plan, { search: state.search, results, states });
  const { data, error } = rows;
  const columns = useColumns(plan);
  const items = data?.items.map((row): Shown => ({ ...row, id: String(row.row) }));
  const filters: TableFilter[] =
    plan.state === 'checked'
      ? []
      : [
          {
            name: 'state',
            title: t('imports.row_state_title'),
            choices: ROW_STATES.map((id) => ({ id, label: t(`imports.row_state.${id}`) })),
          },
        ];
  return (
    <section>
      <h2 className="mb-3 text-base font-semibold">{t('imports.rows_heading')}</h2>
      <Counts
        plan={plan}
        chosen={results}
        onChoose={(chosen) => setState({ ...state, filters: { ...state.filters, result: chosen } })}
      />
      <TableTools searchLabel={t('imports.search')} state={state} onState={setState} filters={filters} />
      <Absent data={items} error={error} onRetry={() => void rows.refetch()} />
      {items?.length === 0 && <NothingFound search={state.search} onClear={() => setState(PLAIN)} />}
      {items && items.length > 0 && (
        <DataTable<Shown>
          label={t('imports.rows_heading')}
          columns={columns}
          items={items}
          total={data?.total}
          nameOf={({ row, name }) => name || t('imports.row', { number: row })}
          onOpen={setOpen}
          onMore={rows.hasNextPage ? () => void rows.fetchNextPage() : undefined}
          pending={rows.isFetchingNextPage}
          failed={rows.isFetchNextPageError}
        />
      )}
      {open && <RowDialog row={open} onClose={() => setOpen(undefined)} />}
    </section>
  );
}

interface CountsProps {
  plan: Import;
  chosen: readonly string[];
  onChoose: (results: string[]) => void;
}

/** How many rows do what; pressing one shows these alone. */
function Counts({ plan, chosen, onChoose }: CountsProps) {
  const { t, i18n } = useTranslation();
  const number = new Intl.NumberFormat(i18n.language);
  return (
    <div
      role="group"
      aria-label={t('imports.results')}
      className="mb-4 grid grid-cols-2 gap-3 lg:grid-cols-4"
    >
      {RESULTS.map((result) => {
        const pressed = chosen.includes(result);
        return (
          <button
            key={result}
            type="button"
            aria-pressed={pressed}
            className={`focusable card cursor-pointer px-4 py-3 text-start ${pressed ? 'border-accent bg-accent-soft text-accent-soft-foreground' : ''}`}
            onClick={() => onChoose(pressed ? [] : [result])}
          >
            <span className="block text-xl font-semibold tabular-nums">{number.format(plan[result])}</span>
            <span className="block text-xs">{t(`imports.result.${result}`)}</span>
          </button>
        );
      })}
    </div>
  );
}

/** So many lines of a row are said in the table; all of them where it is opened. */
const LINES = 3;

function useColumns(plan: Import): TableColumn<Shown>[] {
  const { t } = useTranslation();
  const { linesOf } = useRowWords();
  return [
    {
      id: 'name',
      title: t('imports.person'),
      cell: ({ row, line, name }) => (
        <span>
          <span className="block font-medium wrap-anywhere">{name || t('none')}</span>
          <span className="block text-xs text-muted">{t('imports.place', { row, line })}</span>
        </span>
      ),
    },
    {
      id: 'result',
      title: t('imports.result_title'),
      cell: ({ result }) => (
        <StatusBadge tone={RESULT_TONES[result]}>{t(`imports.row_result.${result}`)}</StatusBadge>
      ),
    },
    {
      id: 'what',
      title: t('imports.what'),
      share: 3,
      cell: (row) => {
        const lines = linesOf(row);
        return (
          <ul className={row.errors.length > 0 ? 'text-danger' : undefined}>
            {lines.slice(0, LINES).map((line) => (
              <li key={line} className="wrap-anywhere">
                {line}
              </li>
            ))}
            {lines.length > LINES && <li>{t('imports.more_lines', { count: lines.length - LINES })}</li>}
          </ul>
        );
      },
    },
    ...(plan.state === 'checked'
      ? []
      : [
          {
            id: 'state',
            title: t('imports.row_state_title'),
            cell: ({ state, result }: Shown) =>
              result === 'create' || result === 'update' ? t(`imports.row_state.${state}`) : <Nothing />,
          },
        ]),
  ];
}
