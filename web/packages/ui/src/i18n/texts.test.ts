import { expect, test } from 'vitest';

import de from './de';
import en from './en';
import { pickLanguage } from './index';
import { joined } from './join';
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

test('two folders with texts of one name are refused', () => {
  const files = { 'a/texts.en.json': { title: 'A' }, 'b/texts.en.json': { title: 'B' } };
  expect(() => joined(files)).toThrow('b/texts.en.json');
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
