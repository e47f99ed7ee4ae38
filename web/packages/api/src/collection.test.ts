import { expect, test } from 'vitest';

import { marksOf } from './collection';

test('a link can begin after every page but the last', () => {
  const pages = [{ items: [1, 2, 3], next: 'c1' }, { items: [4, 5, 6], next: 'c2' }, { items: [7] }];
  expect(marksOf(pages)).toEqual([
    { after: 'c1', rows: 3 },
    { after: 'c2', rows: 6 },
  ]);
});
