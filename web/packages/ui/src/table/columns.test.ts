import { expect, test } from 'vitest';

import { shownColumns, type TableColumn } from './columns';

const column = (id: string, more: Partial<TableColumn<object>> = {}): TableColumn<object> => ({
  id,
  title: id,
  cell: () => null,
  ...more,
});
const columns = [
  column('name'),
  column('mail'),
  column('phone', { from: 'lg' }),
  column('notes', { spare: true }),
];
const ids = (chosen: string[] | undefined, widths = { lg: true, xl: true }) =>
  shownColumns(columns, chosen, widths).map(({ id }) => id);

test('without a choice the width decides, and spare columns stay away', () => {
  expect(ids(undefined)).toEqual(['name', 'mail', 'phone']);
  expect(ids(undefined, { lg: false, xl: false })).toEqual(['name', 'mail']);
});

test('a choice is kept at every width, in the order of the table', () => {
  expect(ids(['notes', 'phone'], { lg: false, xl: false })).toEqual(['name', 'phone', 'notes']);
});

test('the column that names the row cannot be hidden', () => {
  expect(ids([])).toEqual(['name']);
});
