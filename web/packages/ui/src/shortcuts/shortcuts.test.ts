import { expect, test } from 'vitest';

import { keyNames } from './shortcuts';

test.each([
  ['mod+k', false, ['Ctrl', 'K']],
  ['mod+k', true, ['⌘', 'K']],
  ['g>c', false, ['G', 'C']],
  ['?', false, ['?']],
])('%s is shown as on the keyboard (mac: %s)', (keys, mac, shown) => {
  expect(keyNames(keys, mac)).toEqual(shown);
});
