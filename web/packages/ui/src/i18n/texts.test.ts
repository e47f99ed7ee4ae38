import { expect, test } from 'vitest';

import de from './de.json';
import en from './en.json';
import { pickLanguage } from './index';
import { outline, unwritten } from './texts';

test('German has every text of the components with the same placeholders', () => {
  expect(outline(de)).toEqual(outline(en));
});

test('no text is empty', () => {
  expect([...unwritten(en), ...unwritten(de)]).toEqual([]);
});

test('a missing placeholder is seen', () => {
  expect(outline({ a: 'x {{name}}' })).not.toEqual(outline({ a: 'x' }));
});

test.each([
  [null, ['de-AT', 'en'], 'de'],
  [null, ['fr-FR', 'de'], 'de'],
  [null, ['fr'], 'en'],
  [null, [], 'en'],
  ['de', ['en-US'], 'de'],
  ['xx', ['de'], 'de'],
] as const)('kept %s and wanted %j gives %s', (kept, wanted, language) => {
  expect(pickLanguage(kept, wanted)).toBe(language);
});
