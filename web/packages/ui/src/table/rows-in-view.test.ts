import { expect, test } from 'vitest';

import { rangeOf } from './rows-in-view';

const rows = [
  { key: 'a', top: -60, bottom: -20 },
  { key: 'b', top: -15, bottom: 25 },
  { key: 'c', top: 25, bottom: 65 },
  { key: 'd', top: 65, bottom: 105 },
];
const places = new Map([
  ['a', 10],
  ['b', 11],
  ['c', 12],
  ['d', 13],
]);

test('a row counts as seen when at least half of it is', () => {
  expect(rangeOf(rows, { top: 0, bottom: 100 }, places)).toEqual({ first: 11, last: 13 });
  expect(rangeOf(rows, { top: 6, bottom: 80 }, places)).toEqual({ first: 12, last: 12 });
});

test('rows that are no longer in the list do not count', () => {
  expect(rangeOf(rows, { top: 0, bottom: 100 }, new Map())).toBeUndefined();
});
