import { expect, test } from 'vitest';

import { lastDays, spanText } from './days';

const words = { from: (day: string) => `from ${day}`, to: (day: string) => `until ${day}` };
const say = (from: string, to: string) => spanText({ from, to }, 'en', words);

test('the last days have today among them, over the end of a month too', () => {
  const today = new Date(2026, 2, 2, 23, 59);
  expect(lastDays(1, today)).toEqual({ from: '2026-03-02', to: '2026-03-02' });
  expect(lastDays(7, today)).toEqual({ from: '2026-02-24', to: '2026-03-02' });
});

test('a period is said in as few words as it takes', () => {
  expect(say('', '')).toBe('');
  expect(say('2026-03-02', '2026-03-02')).toBe('Mar 2, 2026');
  expect(say('2026-03-01', '')).toBe('from Mar 1, 2026');
  expect(say('', '2026-03-02')).toBe('until Mar 2, 2026');
  expect(say('2026-03-01', '2026-03-02')).toBe('Mar 1, 2026 – Mar 2, 2026');
  expect(say('soon', '')).toBe('from soon');
});
