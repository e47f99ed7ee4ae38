import { expect, test } from 'vitest';

import { pathOf } from './qr';

test('runs of dark modules become rectangles', () => {
  expect(
    pathOf([
      [true, true, false],
      [false, false, true],
    ]),
  ).toBe('M0 0h2v1H0zM2 1h1v1H2z');
});
