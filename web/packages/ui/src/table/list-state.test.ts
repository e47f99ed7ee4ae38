import { expect, test } from 'vitest';

import {
  isPlain,
  listSearch,
  paramsOf,
  placeOf,
  PLAIN,
  sameState,
  sortOf,
  sortText,
  stateOf,
  type ListState,
} from './list-state';

const state: ListState = { search: 'ann', sort: '-name', filters: { status: ['online', 'offline'] } };

test('an address says the whole state and gives it back', () => {
  const params = paramsOf(state);
  expect(params).toEqual({ search: 'ann', sort: '-name', status: 'online,offline' });
  expect(stateOf(params, ['status'])).toEqual(state);
});

test('what says nothing is not in the address', () => {
  expect(paramsOf(PLAIN)).toEqual({});
  expect(paramsOf({ ...PLAIN, filters: { status: [] } })).toEqual({});
});

test('a parameter that is no filter of the list is ignored', () => {
  expect(stateOf({ status: 'online', utm: 'x' }, ['status']).filters).toEqual({ status: ['online'] });
  expect(stateOf({ status: 'online' }, []).filters).toEqual({});
});

test('a number in the address is text again', () => {
  expect(listSearch({ search: 201, sort: 'name', odd: { a: 1 } })).toEqual({ search: '201', sort: 'name' });
});

test('a place is a cursor and the rows before it', () => {
  expect(placeOf(paramsOf(PLAIN, { after: 'c2', row: 200 }))).toEqual({ after: 'c2', row: 200 });
  expect(placeOf({ after: 'c2', row: '-7' })).toEqual({ after: 'c2', row: 0 });
  expect(placeOf({ row: '200' })).toBeUndefined();
});

test('sorting alone leaves a list whole', () => {
  expect(isPlain({ ...PLAIN, sort: 'name' })).toBe(true);
  expect(isPlain(state)).toBe(false);
});

test('states are the same whatever the order of their filters', () => {
  const filters = { a: ['1'], b: ['2'] };
  expect(sameState({ ...PLAIN, filters }, { ...PLAIN, filters: { b: ['2'], a: ['1'] } })).toBe(true);
  expect(sameState({ ...PLAIN, filters }, { ...PLAIN, filters: { a: ['1'] } })).toBe(false);
});

test('a sort descends with a minus', () => {
  expect(sortOf('-name')).toEqual({ column: 'name', descending: true });
  expect(sortOf('name')).toEqual({ column: 'name', descending: false });
  expect(sortOf('')).toBeUndefined();
  expect(sortText({ column: 'name', descending: true })).toBe('-name');
});
