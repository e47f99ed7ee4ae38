import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { ALL_LISTS, gatherLists, staleBy } from './live-lists';
import type { LiveFrame } from './types';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('the first change is told at once, the others of a second together', () => {
  const told: string[][] = [];
  const gathered = gatherLists((lists) => told.push([...lists]));
  gathered.add(['devices']);
  gathered.add(['contacts']);
  gathered.add(['contacts', 'calls']);
  expect(told).toEqual([['devices']]);
  vi.advanceTimersByTime(1000);
  expect(told).toEqual([['devices'], ['contacts', 'calls']]);
  vi.advanceTimersByTime(1000);
  gathered.add(['accounts']);
  expect(told.at(-1)).toEqual(['accounts']);
});

test('nothing is told after the end', () => {
  const told: string[][] = [];
  const gathered = gatherLists((lists) => told.push([...lists]));
  gathered.add(['devices']);
  gathered.add(['contacts']);
  gathered.stop();
  vi.advanceTimersByTime(5000);
  expect(told).toEqual([['devices']]);
});

test('no lists are no change', () => {
  const tell = vi.fn();
  gatherLists(tell).add([]);
  expect(tell).not.toHaveBeenCalled();
});

const snapshot = (last: boolean): LiveFrame => ({
  type: 'snapshot',
  epoch: 'e',
  seq: 1,
  first: true,
  last,
  devices: [],
  accounts: [],
});

test('a delta says itself which lists are stale', () => {
  expect(staleBy({ type: 'delta', seq: 2, lists: ['contacts'] }, true)).toEqual(['contacts']);
  expect(staleBy({ type: 'delta', seq: 2 }, true)).toEqual([]);
});

test('after a time without a channel the end of a snapshot makes all lists stale, before only calls', () => {
  expect(staleBy(snapshot(false), true)).toEqual([]);
  expect(staleBy(snapshot(true), true)).toEqual(ALL_LISTS);
  expect(staleBy(snapshot(true), false)).toEqual(['calls']);
});
