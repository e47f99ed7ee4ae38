import { expect, test } from 'vitest';

import { matching, type Command } from './match';

const command = (label: string, more: Partial<Command> = {}): Command => ({
  id: label,
  label,
  run: () => undefined,
  ...more,
});
const groups = [
  {
    title: 'Pages',
    commands: [command('New device'), command('Devices', { words: 'phones' }), command('Geräte')],
  },
  { title: 'Actions', commands: [command('Sign out')] },
];
const labels = (text: string) =>
  matching(groups, text).flatMap(({ commands }) => commands.map(({ label }) => label));

test('nothing typed means everything', () => {
  expect(labels(' ')).toHaveLength(4);
});

test('every word has to be there, in any order', () => {
  expect(labels('device new')).toEqual(['New device']);
  expect(labels('new phone')).toEqual([]);
});

test('names that begin with it come first', () => {
  expect(labels('dev')).toEqual(['Devices', 'New device']);
});

test('other words for it and words without accents are found', () => {
  expect(labels('phones')).toEqual(['Devices']);
  expect(labels('gerate')).toEqual(['Geräte']);
});
