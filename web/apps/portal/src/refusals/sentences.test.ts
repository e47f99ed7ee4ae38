/**
 * Every sentence of the server that a page may show has its German.
 */
import { readdirSync, readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import german from './refusals.de.json';

const SERVER = new URL('../../../../../portal/src/', import.meta.url).pathname;

/** Whose sentences no page shows: the command line, metrics, the description, what pages say by a word of their own. */
const NOT_SHOWN = new Set([
  'accounts.rs',
  'description.rs',
  'metrics.rs',
  'pages.rs',
  'redirect.rs',
  'sign_on/mod.rs',
]);

/** What is not a sentence but is shown as a detail, such as why a mail was not sent. */
const DETAILS = new Set(['egress.rs', 'mail/smtp.rs', 'outgoing.rs', 'sign_on/fetch.rs', 'sign_on/token.rs']);

/** Comments, characters and strings of Rust; only strings have a group. */
const TOKENS = /\/\/[^\n]*|'(?:\\.|[^\\'\n])'|r#"[^]*?"#|"((?:[^"\\]|\\[^])*)"/g;

/** What a string says, with a name in place of each value: `{max:?}` becomes `{{max}}`. */
function textOf(literal: string): string {
  let unnamed = 0;
  return literal
    .replaceAll(/\\\n\s*/g, '')
    .replaceAll(/\\(["\\])/g, '$1')
    .replaceAll(/\{(\w*)(?::[^}]*)?\}/g, (_, name: string) => {
      unnamed += name === '' ? 1 : 0;
      return `{{${name.toLowerCase() || `value${unnamed}`}}}`;
    });
}

function stringsOf(file: string): string[] {
  const [code = ''] = readFileSync(SERVER + file, 'utf8').split('#[cfg(test)]');
  return [...code.matchAll(TOKENS)]
    .filter(({ 1: literal, index }) => literal !== undefined && !isLogged(code.slice(0, index)))
    .map(({ 1: literal = '' }) => textOf(literal));
}

/** Whether the string that follows goes to the log or to `expect`. */
function isLogged(before: string): boolean {
  return /(?:\b(?:error|warn|info|debug|trace)!|\.expect|reason =)[^;{}]*$/.test(before);
}

function isSentence(text: string): boolean {
  return /^(?:[A-Z]|\{\{)\S*\s[^]*[.!?]$/.test(text) && !text.includes('<');
}

function isDetail(text: string): boolean {
  return /^[a-z]/.test(text) && text.split(' ').length > 2;
}

function sentences(): string[] {
  const files = readdirSync(SERVER, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.rs') && !file.includes('tests') && !NOT_SHOWN.has(file),
  );
  const told = files.flatMap((file) =>
    stringsOf(file).filter((text) => isSentence(text) || (DETAILS.has(file) && isDetail(text))),
  );
  return [...new Set(told)].sort();
}

const told = sentences();

test('the sentences of the server are found', () => {
  expect(told.length).toBeGreaterThan(120);
  expect(told).toEqual(
    expect.arrayContaining([
      'This is taken already.',
      'Please use at most {{max}} characters.',
      'Please leave out " and \\.',
      'Please enter an e-mail address, such as name@example.com.',
      'the server does not offer STARTTLS',
    ]),
  );
});

test('each has its German', () => {
  expect(told.filter((sentence) => !(sentence in german))).toEqual([]);
});

test('no German is left of a sentence that the server does not say any more', () => {
  expect(Object.keys(german).filter((sentence) => !told.includes(sentence))).toEqual([]);
});

const values = (text: string) => [...text.matchAll(/\{\{\w+\}\}/g)].map(([name]) => name).sort();

test('German says the same values', () => {
  for (const [sentence, translated] of Object.entries(german)) {
    expect(values(translated), sentence).toEqual(values(sentence));
  }
});

test('no page shows a sentence of the server as it is', () => {
  const pages = new URL('..', import.meta.url).pathname;
  const untranslated = readdirSync(pages, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.test.ts'))
    .filter((file) => /\berror\.message\b|\bcause\.message\b/.test(readFileSync(pages + file, 'utf8')));
  // The one translates; the other finds a form's own message among several.
  expect(untranslated).toEqual(['api-keys/new.tsx', 'refusals/use-sentence.ts']);
});
