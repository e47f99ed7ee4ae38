import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { gatherLists } from './live-lists';

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
