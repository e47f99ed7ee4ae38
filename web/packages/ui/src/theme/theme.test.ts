import { expect, test } from 'vitest';

import { parseTheme, shownTheme } from './theme';

test('the system decides only when it is asked to', () => {
  expect(shownTheme('system', { prefersDark: true })).toBe('dark');
  expect(shownTheme('system', { prefersDark: false })).toBe('light');
  expect(shownTheme('light', { prefersDark: true })).toBe('light');
  expect(shownTheme('dark', { prefersDark: false })).toBe('dark');
});

test('an unknown kept choice means as the system has it', () => {
  expect(parseTheme('dark')).toBe('dark');
  expect(parseTheme('purple')).toBe('system');
  expect(parseTheme(null)).toBe('system');
});
