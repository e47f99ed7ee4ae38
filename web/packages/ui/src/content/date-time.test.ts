import { expect, test } from 'vitest';

import { ago } from './date-time';

const now = new Date('2026-03-01T12:00:00Z');

test.each([
  ['2026-03-01T11:59:30Z', 'now'],
  ['2026-03-01T11:58:30Z', '1 minute ago'],
  ['2026-03-01T09:01:00Z', '2 hours ago'],
  ['2026-02-28T12:00:00Z', 'yesterday'],
  ['2026-03-03T12:00:00Z', 'in 2 days'],
  ['2025-12-30T12:00:00Z', '2 months ago'],
])('%s is %s', (at, words) => {
  expect(ago(new Date(at), now, 'en')).toBe(words);
});

test('in the language of the person', () => {
  expect(ago(new Date('2026-02-28T12:00:00Z'), now, 'de')).toBe('gestern');
});
