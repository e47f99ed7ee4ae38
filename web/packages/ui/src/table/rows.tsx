/**
 * The rows of a table: a grid with a header where there is room, a stack of cards where there is none.
 */
import { ArrowDown, ArrowUp, ArrowUpDown } from 'lucide-react';
import {
  Cell,
  Collection,
  Column,
  GridList,
  GridListItem,
  GridListLoadMoreItem,
  ListLayout,
  Row,
  Table,
  TableBody,
  TableHeader,
  TableLayout,
  TableLoadMoreItem,
  Virtualizer,
  type Selection,
} from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import { Tick } from '../fields/tick';
import { useDensity } from '../theme/theme';
import type { TableColumn } from './columns';
import type { DataTableProps, Item } from './data-table';

/** Pixels. Rows are measured when they come into view; until then they count as this high. */
const ROW = { comfortable: 48, compact: 34 } as const;
const HEADING = { comfortable: 38, compact: 32 } as const;
const CARD = 120;
const LEAST = 120;
const TICK = 44;
const NONE: ReadonlySet<string> = new Set();

export function GridRows<R extends Item>(props: DataTableProps<R>) {
  const { label, columns, items, nameOf, href, onOpen, sort, onSort, onSelect, onMore, pending, failed } =
    props;
  const density = useDensity();
  return (
    <Virtualizer
      key={density}
      layout={TableLayout}
      layoutOptions={{ estimatedRowHeight: ROW[density], headingHeight: HEADING[density], loaderHeight: 1 }}
    >
      <Table
        aria-label={label}
        className="data-table"
        {...selection(props)}
        {...(onOpen && { onRowAction: opener(items, onOpen) })}
        {...(sort && { sortDescriptor: { column: sort.column, direction: directionOf(sort.descending) } })}
        onSortChange={({ column, direction }) =>
          onSort?.({ column: String(column), descending: direction === 'descending' })
        }
      >
        <TableHeader>
          {onSelect && (
            <Column id=" tick" width={TICK} minWidth={TICK} className="data-table__tick">
              <Tick slot="selection" />
            </Column>
          )}
          {columns.map((column, index) => (
            <Head key={column.id} column={column} first={index === 0} sortable={onSort !== undefined} />
          ))}
        </TableHeader>
        <TableBody>
          <Collection items={items} dependencies={[columns, onSelect === undefined]}>
            {(item: R) => (
              <Row
                id={item.id}
                textValue={nameOf(item)}
                href={href?.(item)}
                className={`data-table__row ${look(onOpen)}`}
              >
                {onSelect && (
                  <Cell className="data-table__tick">
                    <Tick slot="selection" />
                  </Cell>
                )}
                {columns.map(({ id, cell }) => (
                  <Cell key={id} className="data-table__cell">
                    {cell(item)}
                  </Cell>
                ))}
              </Row>
            )}
          </Collection>
          {onMore && !failed && (
            <TableLoadMoreItem onLoadMore={onMore} isLoading={pending ?? false} scrollOffset={2} />
          )}
        </TableBody>
      </Table>
    </Virtualizer>
  );
}

interface HeadProps<R> {
  column: TableColumn<R>;
  first: boolean;
  sortable: boolean;
}

function Head<R>({ column, first, sortable }: HeadProps<R>) {
  const { title, id, sort, share = 1, least = LEAST } = column;
  return (
    <Column
      id={sort ?? id}
      isRowHeader={first}
      allowsSorting={sortable && sort !== undefined}
      width={`${share}fr`}
      minWidth={least}
      className="data-table__head"
    >
      {({ allowsSorting, sortDirection }) => (
        <span className="flex items-center gap-1.5">
          {title}
          {allowsSorting && <SortMark direction={sortDirection} />}
        </span>
      )}
    </Column>
  );
}

function SortMark({ direction }: { direction: 'ascending' | 'descending' | undefined }) {
  if (direction === undefined) return <ArrowUpDown className="size-3.5 opacity-50" aria-hidden />;
  const Mark = direction === 'ascending' ? ArrowUp : ArrowDown;
  return <Mark className="size-3.5 text-foreground" aria-hidden />;
}

export function CardRows<R extends Item>(props: DataTableProps<R>) {
  const { label, columns, items, nameOf, href, onOpen, onSelect, onMore, pending, failed } = props;
  const { t } = useTranslation('ui');
  const [name, ...rest] = columns;
  return (
    <Virtualizer layout={ListLayout} layoutOptions={{ estimatedRowHeight: CARD, loaderHeight: 1 }}>
      <GridList
        aria-label={label}
        className="outline-none"
        {...selection(props)}
        {...(onOpen && { onAction: opener(items, onOpen) })}
      >
        <Collection items={items} dependencies={[columns, onSelect === undefined]}>
          {(item: R) => (
            <GridListItem
              id={item.id}
              textValue={nameOf(item)}
              href={href?.(item)}
              className={`data-card ${look(onOpen)}`}
            >
              {onSelect && <Tick slot="selection" />}
              <div className="grid min-w-0 flex-1 gap-1">
                <div>{name?.cell(item)}</div>
                {rest.map(({ id, title, cell, plain }) => (
                  <div key={id} className="flex min-w-0 items-baseline gap-3">
                    {!plain && <span className="w-24 shrink-0 text-xs text-muted">{title}</span>}
                    <span className="min-w-0">{cell(item)}</span>
                  </div>
                ))}
              </div>
            </GridListItem>
          )}
        </Collection>
        {onMore && !failed && (
          <GridListLoadMoreItem
            onLoadMore={onMore}
            isLoading={pending ?? false}
            scrollOffset={2}
            aria-label={t('loading')}
          />
        )}
      </GridList>
    </Virtualizer>
  );
}

function selection<R extends Item>({ items, selected = NONE, onSelect }: DataTableProps<R>) {
  if (!onSelect) return {};
  return {
    selectionMode: 'multiple' as const,
    selectedKeys: selected,
    onSelectionChange: (keys: Selection) =>
      onSelect(keys === 'all' ? new Set(items.map(({ id }) => id)) : new Set([...keys].map(String))),
  };
}

/** Rows are known to React Aria by their keys. */
function opener<R extends Item>(items: readonly R[], onOpen: (item: R) => void) {
  return (key: string | number) => {
    const item = items.find(({ id }) => id === String(key));
    if (item) onOpen(item);
  };
}

function look(onOpen: unknown): string {
  return onOpen ? 'cursor-pointer' : '';
}

function directionOf(descending: boolean) {
  return descending ? 'descending' : 'ascending';
}
