/**
 * The columns of a table, and which of them a person wants to see.
 */
import type { ReactNode } from 'react';

export interface TableColumn<Item> {
  id: string;
  title: string;
  cell: (item: Item) => ReactNode;
  /** What the server calls it when it sorts by it; absent: it cannot. */
  sort?: string;
  /** Share of the width, 1 when absent. */
  share?: number;
  /** Pixels below which it does not shrink. */
  least?: number;
  /** Hidden below this width of the window unless the person chose it. */
  from?: 'lg' | 'xl';
  /** Shown only when chosen. */
  spare?: boolean;
  /** The column's name is not repeated in the card view: the value speaks for itself. */
  plain?: boolean;
}

/** What is shown when nothing was chosen. */
export interface Widths {
  lg: boolean;
  xl: boolean;
}

/** The columns to show, in their order; the first names the row and is always there. */
export function shownColumns<Item>(
  columns: readonly TableColumn<Item>[],
  chosen: readonly string[] | undefined,
  widths: Widths,
): TableColumn<Item>[] {
  return columns.filter(({ id, from, spare }, index) => {
    if (index === 0) return true;
    if (chosen) return chosen.includes(id);
    return !spare && (!from || widths[from]);
  });
}

const key = (list: string) => `tandem.columns.${list}`;

/** The choice kept in this browser for a list; absent: none was made. */
export function keptColumns(list: string): string[] | undefined {
  return localStorage.getItem(key(list))?.split(',');
}

export function keepColumns(list: string, chosen: readonly string[] | undefined): void {
  if (chosen) localStorage.setItem(key(list), chosen.join(','));
  else localStorage.removeItem(key(list));
}
