import { expect, test } from 'vitest';

import { known } from './kept';
import { DENSITIES, shownTheme, THEMES } from './theme';

test('the system decides only when it is asked to', () => {
  expect(shownTheme('system', { prefersDark: true })).toBe('dark');
  expect(shownTheme('system', { prefersDark: false })).toBe('light');
  expect(shownTheme('light', { prefersDark: true })).toBe('light');
  expect(shownTheme('dark', { prefersDark: false })).toBe('dark');
});

test('an unknown kept choice means the first', () => {
  expect(known(THEMES, 'dark')).toBe('dark');
  expect(known(THEMES, 'purple')).toBe('system');
  expect(known(THEMES, null)).toBe('system');
  expect(known(DENSITIES, null)).toBe('comfortable');
});
