import { expect, test } from 'vitest';

import { refusal } from './file-drop';

const file = (name: string, type: string, size = 10) => ({ name, type, size });

test('a file is known by its type or by the end of its name', () => {
  expect(refusal(file('people.csv', ''), ['.csv', 'text/csv'], 100)).toBeUndefined();
  expect(refusal(file('people', 'text/csv'), ['.csv', 'text/csv'], 100)).toBeUndefined();
  expect(refusal(file('PEOPLE.CSV', ''), ['.csv'], 100)).toBeUndefined();
  expect(refusal(file('people.csv.exe', 'application/exe'), ['.csv', 'text/csv'], 100)).toBe('type');
});

test('a file that is too large is not taken', () => {
  expect(refusal(file('people.csv', '', 100), ['.csv'], 100)).toBeUndefined();
  expect(refusal(file('people.csv', '', 101), ['.csv'], 100)).toBe('size');
});
