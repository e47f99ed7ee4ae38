import { expect, test } from 'vitest';

import { moved } from './order';

test('one is moved and the others keep their order', () => {
  expect(moved(['a', 'b', 'c', 'd'], 2, 0)).toEqual(['c', 'a', 'b', 'd']);
  expect(moved(['a', 'b', 'c', 'd'], 0, 2)).toEqual(['b', 'c', 'a', 'd']);
});

test('moving what is not there changes nothing', () => {
  expect(moved(['a', 'b'], 7, 0)).toEqual(['a', 'b']);
});
