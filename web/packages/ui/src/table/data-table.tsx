/**
 * A list of things with columns. Rows are links: arrows move between them, Enter opens, Space selects.
 *
 * Only the rows in view are in the page, however many there are; more are asked for as the end comes near. On
 * narrow screens each row becomes a card with the column names beside the values.
 */
import { lazy, Suspense, useEffect, useRef, type MouseEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { Placeholder } from '../feedback/feedback';
import { useMedia } from '../frame/media';
import type { TableColumn } from './columns';
import type { Sort } from './list-state';
import { Position } from './position';

// The grid of React Aria is the heaviest part of all; pages can be shown before it is there.
const readRows = () => import('./rows');
const Cards = lazy(async () => ({ default: (await readRows()).CardRows }));
const Grid = lazy(async () => ({ default: (await readRows()).GridRows }));

const MOST_WAITING = 8;

/** In place of a table whose rows are being asked for: meanwhile the grid is fetched as well. */
export function TableWaiting({ rows = 4 }: { rows?: number }) {
  useEffect(() => {
    // What cannot be had is said when it is needed.
    readRows().catch(() => undefined);
  }, []);
  return <Placeholder rows={rows} />;
}

export interface Item {
  id: string;
}

/** How many there are in all; `exact` false: more than that. */
export interface Total {
  count: number;
  exact: boolean;
}

export interface DataTableProps<Row extends Item> {
  label: string;
  /** The columns to show. The first names the row. */
  columns: readonly TableColumn<Row>[];
  items: readonly Row[];
  /** Rows of the list that come before `items`. */
  before?: number;
  /** Leads to the beginning of the list; for lists that start in the middle. */
  onEarlier?: (() => void) | undefined;
  total?: Total | undefined;
  /** What a row is called when it is spoken of. */
  nameOf: (item: Row) => string;
  href?: ((item: Row) => string) | undefined;
  /** What a row does that leads nowhere; absent: nothing. */
  onOpen?: ((item: Row) => void) | undefined;
  sort?: Sort | undefined;
  /** Absent: nothing can be sorted. */
  onSort?: ((sort: Sort) => void) | undefined;
  selected?: ReadonlySet<string>;
  /** Absent: nothing can be selected. */
  onSelect?: ((ids: ReadonlySet<string>) => void) | undefined;
  /** There is more to read. */
  onMore?: (() => void) | undefined;
  pending?: boolean;
  /** Reading on failed. */
  failed?: boolean;
  /** Called with the place of the first row in view when scrolling has come to rest. */
  onScroll?: ((row: number) => void) | undefined;
  /** Beside the position, such as actions for what is selected. */
  footer?: ReactNode;
}

/** React Aria follows a row's link in a new tab with Ctrl, but does not know the middle button. */
function openBeside({ button, target }: MouseEvent) {
  const row = button === 1 && target instanceof Element && target.closest<HTMLElement>('[data-href]');
  if (row && row.dataset.href) window.open(row.dataset.href, '_blank', 'noopener');
}

export function DataTable<Row extends Item>(props: DataTableProps<Row>) {
  const { before = 0, columns } = props;
  const { t } = useTranslation('ui');
  const narrow = useMedia('(width < 48rem)');
  const box = useRef<HTMLDivElement>(null);
  const Rows = (narrow ? Cards : Grid) as typeof import('./rows').GridRows;
  return (
    <div ref={box} className="card table-box overflow-hidden" onAuxClick={openBeside}>
      {props.onEarlier && (
        <div className="border-b border-separator p-2 text-center">
          <button type="button" className="button button--sm button--ghost" onClick={props.onEarlier}>
            {t('table.earlier', { count: before })}
          </button>
        </div>
      )}
      <Suspense fallback={<Placeholder rows={Math.min(props.items.length, MOST_WAITING)} />}>
        {/* The header of React Aria's grid does not take other columns: it is made anew. */}
        <Rows key={columns.map(({ id }) => id).join(' ')} {...props} />
        <Position {...props} box={box} />
      </Suspense>
    </div>
  );
}
