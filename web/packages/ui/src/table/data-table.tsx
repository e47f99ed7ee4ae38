/**
 * A list of things with columns. Rows are links: arrows move between them, Enter opens.
 *
 * On narrow screens each row becomes a card with the column names beside the values (see styles.css).
 */
import type { ReactNode } from 'react';
import { Button, Cell, Column, Row, Table, TableBody, TableHeader } from 'react-aria-components';
import { useTranslation } from 'react-i18next';

export interface TableColumn<Item> {
  id: string;
  title: string;
  cell: (item: Item) => ReactNode;
  /** Hidden between the card view and this width. */
  from?: 'lg' | 'xl';
  /** The column's name is not repeated in the card view: the value speaks for itself. */
  plain?: boolean;
}

interface DataTableProps<Item extends { id: string }> {
  label: string;
  /** The first column names the row. */
  columns: TableColumn<Item>[];
  items: Item[];
  href: (item: Item) => string;
  /** There is more to read. */
  onMore?: (() => void) | undefined;
  pending?: boolean;
}

const FROM = { lg: 'md:max-lg:hidden', xl: 'md:max-xl:hidden' } as const;

export function DataTable<Item extends { id: string }>(props: DataTableProps<Item>) {
  const { t } = useTranslation('ui');
  const { label, columns, items, href, onMore, pending } = props;
  return (
    <div className="card">
      <Table aria-label={label} className="data-table">
        <TableHeader>
          {columns.map(({ id, title, from }, index) => (
            <Column key={id} id={id} isRowHeader={index === 0} className={from && FROM[from]}>
              {title}
            </Column>
          ))}
        </TableHeader>
        <TableBody items={items} dependencies={[columns]}>
          {(item) => (
            <Row id={item.id} href={href(item)}>
              {columns.map(({ id, title, cell, plain, from }, index) => (
                <Cell
                  key={id}
                  className={from && FROM[from]}
                  {...(plain || index === 0 ? {} : { 'data-label': title })}
                >
                  {cell(item)}
                </Cell>
              ))}
            </Row>
          )}
        </TableBody>
      </Table>
      {onMore && (
        <div className="border-t border-separator p-3 text-center">
          <Button className="button button--sm button--ghost" onPress={onMore} isPending={pending ?? false}>
            {t('table.more')}
          </Button>
        </div>
      )}
    </div>
  );
}
