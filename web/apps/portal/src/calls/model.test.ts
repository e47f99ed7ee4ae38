import { expect, test } from 'vitest';

import { clock, filterOf, partyName, rangFor } from './model';

const ID = '0199e0a0-0000-7000-8000-000000000001';

const filter = (filters: Record<string, string[]>, search = '') => filterOf({ search, filters });

test('what makes no sense narrows nothing', () => {
  expect(
    filter({
      outcome: ['funny'],
      direction: ['up'],
      from: ['yesterday'],
      to: ['2026-13-45'],
      contact: ['x'],
    }),
  ).toEqual({});
  expect(filter({ contact: [ID], outcome: ['missed', 'funny', 'busy'] }, '1002')).toEqual({
    search: '1002',
    contact_id: ID,
    outcome: 'missed,busy',
  });
});

test('the last day counts to its end', () => {
  const { from, until } = filter({ from: ['2026-11-23'], to: ['2026-11-23'] });
  expect(Date.parse(until ?? '') - Date.parse(from ?? '')).toBe(24 * 3600 * 1000);
});

test('of days in the wrong order the first counts', () => {
  expect(filter({ from: ['2026-11-23'], to: ['2026-11-22'] })).toEqual(filter({ from: ['2026-11-23'] }));
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
