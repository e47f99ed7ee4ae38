/**
 * What all lists have in common, whatever they are of: search, filters, views, table, the empty page that teaches,
 * reading on, and what can be done with the rows that are selected.
 */
import { Refusal, type Rows, type ViewList } from '@tandem/api';
import {
  BulkBar,
  ColumnChoice,
  DataTable,
  EmptyState,
  isPlain,
  keepColumns,
  keptColumns,
  NothingFound,
  PageHead,
  TableWaiting,
  PLAIN,
  sameState,
  shownColumns,
  sortOf,
  sortText,
  TableTools,
  useMedia,
  ViewMenu,
  type Icon,
  type ListState,
  type TableColumn,
  type TableFilter,
} from '@tandem/ui';
import { useCallback, useState, type ReactNode } from 'react';

import { Failed } from '../pages/absent';
import type { ListAddress } from './state';
import { useViews } from './views';

/** The rows as they are read. */
export interface ReadRows<Row> {
  data: Rows<Row> | undefined;
  error: Error | null;
  refetch: () => unknown;
  hasNextPage: boolean;
  fetchNextPage: () => unknown;
  isFetchingNextPage: boolean;
  isFetchNextPageError: boolean;
}

/** Rows that something is to be done with. */
export interface Picked<Row> {
  items: readonly Row[];
  /** All that the list would show, instead of `items`. */
  matching: ListState | undefined;
  /** How many; of `matching` as far as it is known. */
  count: number;
  /** Hears which rows are to stay selected. */
  onDone: (left: string[]) => void;
}

export interface ListFrameProps<Row extends { id: string }> {
  /** Whose views and whose choice of columns. */
  list: ViewList;
  texts: { title: string; lead: string; search: string; emptyTitle: string; emptyText: string };
  icon: Icon;
  address: ListAddress;
  rows: ReadRows<Row>;
  columns: TableColumn<Row>[];
  filters: readonly TableFilter[];
  /** Filters that are no choice, such as a day. */
  fields?: ReactNode;
  /** What a row is called when it is spoken of. */
  nameOf: (item: Row) => string;
  href?: (item: Row) => string;
  onOpen?: (item: Row) => void;
  /** Beside the title while there is something. */
  actions?: ReactNode;
  /** Where one begins: beside the title, and on the empty page. */
  create?: ReactNode;
  /** Between the title and the list. */
  above?: ReactNode;
  /** Absent: nothing can be selected. */
  bulk?: ((picked: Picked<Row>) => ReactNode) | undefined;
  /** It can be done with all that match too. */
  bulkAll?: boolean;
}

export function ListFrame<Row extends { id: string }>(props: ListFrameProps<Row>) {
  const { list, texts, icon, address, rows, columns, filters, fields, nameOf, href, onOpen } = props;
  const { actions, create, above, bulk } = props;
  const { state, start, setPlace } = address;
  const [chosen, setChosen] = useColumnChoice(list);
  const shown = shownColumns(columns, chosen, {
    lg: useMedia('(width >= 64rem)'),
    xl: useMedia('(width >= 80rem)'),
  });
  const views = useViews(list);
  const { data, error } = rows;
  // A place that is none of this list stays wrong however often it is asked for.
  const isMisplaced = start !== undefined && error instanceof Refusal && error.status === 422;
  const items = data?.items ?? NO_ROWS;
  const selection = useSelection(items, state, data?.total);

  const marks = data?.marks;
  const before = start?.row ?? 0;
  const noteRow = useCallback(
    (row: number) => {
      const mark = marks?.findLast((known) => before + known.rows <= row);
      setPlace(mark ? { after: mark.after, row: before + mark.rows } : start);
    },
    [marks, before, setPlace, start],
  );

  const empty = data !== undefined && items.length === 0 && !start;
  const nothing = empty && isPlain(state);
  return (
    <>
      <PageHead
        title={texts.title}
        lead={texts.lead}
        actions={
          !nothing &&
          (actions || create) && (
            <>
              {actions}
              {create}
            </>
          )
        }
      />
      {above}
      {data === undefined && error && (
        <Failed error={error} onRetry={isMisplaced ? address.restart : () => void rows.refetch()} />
      )}
      {data === undefined && !error && <TableWaiting rows={8} />}
      {data !== undefined && !nothing && (
        <TableTools
          searchLabel={texts.search}
          state={state}
          onState={address.setState}
          filters={filters}
          fields={fields}
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
        <EmptyState icon={icon} title={texts.emptyTitle} action={create}>
          {texts.emptyText}
        </EmptyState>
      )}
      {empty && !nothing && (
        <NothingFound
          search={state.search}
          onClear={() => address.setState({ ...PLAIN, sort: state.sort })}
        />
      )}
      {data !== undefined && !empty && (
        <DataTable<Row>
          key={address.visit}
          label={texts.title}
          columns={shown}
          items={items as Row[]}
          before={before}
          onEarlier={start && address.restart}
          total={data.total}
          nameOf={nameOf}
          href={href}
          onOpen={onOpen}
          sort={sortOf(state.sort)}
          onSort={(sort) => address.setState({ ...state, sort: sortText(sort) })}
          selected={selection.selected}
          onSelect={bulk && selection.select}
          onMore={rows.hasNextPage ? () => void rows.fetchNextPage() : undefined}
          pending={rows.isFetchingNextPage}
          failed={rows.isFetchNextPageError}
          onScroll={noteRow}
        />
      )}
      {bulk && selection.picked.count > 0 && (
        <BulkBar
          count={selection.picked.count}
          all={props.bulkAll ? selection.all : undefined}
          onClear={() => selection.select(new Set())}
        >
          {bulk(selection.picked as Picked<Row>)}
        </BulkBar>
      )}
    </>
  );
}

const NO_ROWS: never[] = [];

/** Which rows are selected: some of those that were read, or all that match. */
function useSelection<Row extends { id: string }>(
  items: readonly Row[],
  state: ListState,
  total: Rows<Row>['total'],
) {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  // Only of what was shown when they were chosen: with another search other rows would be meant.
  const [everythingOf, setEverythingOf] = useState<ListState>();
  const everything = everythingOf !== undefined && sameState(everythingOf, state);
  const select = (ids: ReadonlySet<string>) => {
    setEverythingOf(undefined);
    setSelected(ids);
  };
  const picked = items.filter(({ id }) => selected.has(id));
  const isMore = total !== undefined && (!total.exact || total.count > picked.length);
  return {
    selected,
    select,
    picked: {
      items: picked,
      matching: everything ? state : undefined,
      count: everything ? (total?.count ?? picked.length) : picked.length,
      onDone: (left: string[]) => select(new Set(left)),
    } satisfies Picked<Row>,
    all:
      total && (everything || isMore)
        ? {
            total,
            chosen: everything,
            onChoose: () => {
              setSelected(new Set(items.map(({ id }) => id)));
              setEverythingOf(state);
            },
          }
        : undefined,
  };
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
