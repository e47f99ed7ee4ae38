import { readdirSync, readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { outline, unwritten } from '../../../../packages/ui/src/i18n/texts';
import de from './de';
import en from './en';

test('German has every text of the portal with the same placeholders', () => {
  expect(outline(de)).toEqual(outline(en));
});

test('no text is empty', () => {
  expect([...unwritten(en), ...unwritten(de)]).toEqual([]);
});

test('every message that a check or a refusal names has a text', () => {
  const known = new Set(outline(en).map((line) => line.split(':')[0]));
  const named = sources().flatMap((text) =>
    [...text.matchAll(/'((?:invalid|refused)\.\w+)'/g)].map(([, key]) => key),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((key) => !known.has(key))).toEqual([]);
});

function sources(): string[] {
  const folder = new URL('..', import.meta.url).pathname;
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file))
    .map((file) => readFileSync(folder + file, 'utf8'));
}
