import { expect, test } from 'vitest';

import { outline } from '../../../../packages/ui/src/i18n/texts';
import de from './words.de.json';
import en from './words.en.json';

test('German has every text of the gallery', () => {
  expect(outline(de)).toEqual(outline(en));
});
