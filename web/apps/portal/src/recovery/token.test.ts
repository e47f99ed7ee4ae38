import { expect, test } from 'vitest';

import { tokenOf } from './token';

const TOKEN = 'AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_abcde';

test('the token stands behind the sign', () => {
  expect(tokenOf(`#${TOKEN}`)).toBe(TOKEN);
});

test.each(['', '#', `#${TOKEN.slice(1)}`, `#${TOKEN}x`, `#${TOKEN.slice(1)}/`, `#<script>${TOKEN}`])(
  '%s has none',
  (fragment) => {
    expect(tokenOf(fragment)).toBe('');
  },
);
