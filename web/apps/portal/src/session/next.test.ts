import { expect, test } from 'vitest';

import { nextPath } from './next';

test('a path of the portal is followed', () => {
  expect(nextPath('/t/my-company/devices?search=a#b')).toBe('/t/my-company/devices?search=a#b');
});

test.each([
  undefined,
  7,
  '',
  'https://evil.example',
  '//evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  'javascript:alert(1)',
])('%s leads home', (wanted) => {
  expect(nextPath(wanted)).toBe('/');
});
