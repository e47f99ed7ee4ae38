import { expect, test } from 'vitest';

import { chosenOf, clock, filterOf, isBackwards, partyName, rangFor } from './model';

const ID = '0199e0a0-0000-7000-8000-000000000001';

test('an address that makes no sense chooses nothing', () => {
  expect(
    chosenOf({ outcome: 'funny', direction: 7, from: 'yesterday', to: '2026-13-45', contact: 'x' }),
  ).toEqual({});
  const chosen = { search: '1002', contact: ID, from: '2026-11-01', outcome: 'missed' };
  expect(chosenOf({ ...chosen, more: 1 })).toEqual(chosen);
  expect(chosenOf({ search: 1002 })).toEqual({ search: '1002' });
});

test('the last day counts to its end', () => {
  const { from, until } = filterOf({ from: '2026-11-23', to: '2026-11-23' });
  expect(Date.parse(until ?? '') - Date.parse(from ?? '')).toBe(24 * 3600 * 1000);
  expect(filterOf({ contact: ID, search: '' })).toEqual({ contact_id: ID });
});

test('days in the wrong order are noticed', () => {
  expect(isBackwards({ from: '2026-11-23', to: '2026-11-22' })).toBe(true);
  expect(isBackwards({ from: '2026-11-23', to: '2026-11-23' })).toBe(false);
  expect(isBackwards({ from: '2026-11-23' })).toBe(false);
});

test('a party goes by the best name that is known', () => {
  const contact = { id: ID, name: 'Grace Hopper' };
  expect(partyName({ number: '1002', name: 'Grace', contact })).toBe('Grace Hopper');
  expect(partyName({ number: '1002', name: 'Grace' })).toBe('Grace');
  expect(partyName({ number: '1002' })).toBe('1002');
  expect(partyName({})).toBeUndefined();
});

test('durations read like a clock', () => {
  expect([0, 5, 65, 3725].map(clock)).toEqual(['0:00', '0:05', '1:05', '1:02:05']);
});

test('it rang until somebody answered or it ended', () => {
  const call = { started_at: '2026-11-23T08:00:00Z', ended_at: '2026-11-23T08:01:00Z' };
  expect(rangFor({ ...call, answered_at: '2026-11-23T08:00:07Z' } as never)).toBe(7);
  expect(rangFor(call as never)).toBe(60);
  expect(rangFor({ started_at: call.started_at } as never)).toBeUndefined();
});
