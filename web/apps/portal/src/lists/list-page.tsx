/**
 * What all lists of a tenant have in common: search, filters, views, table, the empty page that teaches, reading
 * on, and deleting what is selected.
 */
import { Refusal, useRows, type CollectionName, type Collections } from '@tandem/api';
import {
  BulkBar,
  ButtonLink,
  ColumnChoice,
  DataTable,
  EmptyState,
  Failure,
  isPlain,
  keepColumns,
  keptColumns,
  NothingFound,
  PageHead,
  Placeholder,
  PLAIN,
  shownColumns,
  sortOf,
  sortText,
  TableTools,
  useMedia,
  ViewMenu,
  type Icon,
  type TableColumn,
  type TableFilter,
} from '@tandem/ui';
import { Plus } from 'lucide-react';
import { useCallback, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { useTenant } from '../tenant';
import { RemoveMany } from './remove-many';
import { useListAddress } from './state';
import { useViews } from './views';

type Item<Name extends CollectionName> = Collections[Name]['item'];

interface ListPageProps<Name extends CollectionName> {
  name: Name;
  icon: Icon;
  columns: TableColumn<Item<Name>>[];
  filters?: TableFilter[];
  /** What a selected row is called when it is spoken of. */
  nameOf: (item: Item<Name>) => string;
  /** Beside *New …*. */
  actions?: ReactNode;
}

const NO_FILTERS: TableFilter[] = [];

export function ListPage<Name extends CollectionName>(props: ListPageProps<Name>) {
  const { name, icon, columns, filters = NO_FILTERS, nameOf, actions } = props;
  const { t } = useTranslation();
  const { tenant, path, mayChange } = useTenant();
  const address = useListAddress(filters.map((filter) => filter.name));
  const { state, start } = address;
  const rows = useRows({ tenant: tenant.id, name }, { ...state, after: start?.after });
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [chosen, setChosen] = useColumnChoice(name);
  const shown = shownColumns(columns, chosen, {
    lg: useMedia('(width >= 64rem)'),
    xl: useMedia('(width >= 80rem)'),
  });
  const views = useViews(name);

  const { data, error } = rows;
  const items = data?.items ?? [];
  const marks = data?.marks;
  const before = start?.row ?? 0;
  const { setPlace } = address;
  const noteRow = useCallback(
    (row: number) => {
      const mark = marks?.findLast((known) => before + known.rows <= row);
      setPlace(mark ? { after: mark.after, row: before + mark.rows } : start);
    },
    [marks, before, setPlace, start],
  );

  const create = mayChange && (
    <>
      {actions}
      <ButtonLink href={path(`/${name}/new`)}>
        <Plus aria-hidden />
        {t(`${name}.new`)}
      </ButtonLink>
    </>
  );
  const empty = data !== undefined && items.length === 0 && !start;
  const nothing = empty && isPlain(state);
  const picked = items.filter(({ id }) => selected.has(id));
  return (
    <>
      <PageHead title={t(`${name}.title`)} lead={t(`${name}.lead`)} actions={!nothing && create} />
      {data === undefined && error && (
        <Failure
          detail={error instanceof Refusal ? error.message : undefined}
          onRetry={() => void rows.refetch()}
        />
      )}
      {data === undefined && !error && <Placeholder rows={8} />}
      {data !== undefined && !nothing && (
        <TableTools
          searchLabel={t(`${name}.search`)}
          state={state}
          onState={address.setState}
          filters={filters}
        >
          <ViewMenu
            views={views.views}
            state={state}
            columns={chosen}
            onOpen={(view) => {
              setChosen(view.columns);
              address.setState(view);
            }}
            onSave={(title) => views.save({ ...state, name: title, ...(chosen && { columns: chosen }) })}
            onRemove={({ id }) => views.remove(id)}
          />
          <ColumnChoice columns={columns} shown={shown} onChoose={setChosen} />
        </TableTools>
      )}
      {nothing && (
        <EmptyState icon={icon} title={t(`${name}.empty.title`)} action={create}>
          {t(`${name}.empty.text`)}
        </EmptyState>
      )}
      {empty && !nothing && (
        <NothingFound
          search={state.search}
          onClear={() => address.setState({ ...PLAIN, sort: state.sort })}
        />
      )}
      {data !== undefined && !empty && (
        <DataTable<Item<Name>>
          label={t(`${name}.title`)}
          columns={shown}
          items={items}
          before={before}
          onEarlier={start && address.restart}
          total={data.total}
          nameOf={nameOf}
          href={({ id }) => path(`/${name}/${id}`)}
          sort={sortOf(state.sort)}
          onSort={(sort) => address.setState({ ...state, sort: sortText(sort) })}
          selected={selected}
          onSelect={mayChange ? setSelected : undefined}
          onMore={rows.hasNextPage ? () => void rows.fetchNextPage() : undefined}
          pending={rows.isFetchingNextPage}
          failed={rows.isFetchNextPageError}
          onScroll={noteRow}
        />
      )}
      {picked.length > 0 && (
        <BulkBar count={picked.length} onClear={() => setSelected(new Set())}>
          <RemoveMany
            name={name}
            items={picked.map((item) => ({ id: item.id, title: nameOf(item) }))}
            onDone={(left) => setSelected(new Set(left))}
          />
        </BulkBar>
      )}
    </>
  );
}

function useColumnChoice(list: string) {
  const [chosen, setChosen] = useState(() => keptColumns(list));
  return [
    chosen,
    (ids: string[] | undefined) => {
      keepColumns(list, ids);
      setChosen(ids);
    },
  ] as const;
}
