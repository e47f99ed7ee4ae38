import { expect, test } from 'vitest';

import { takenByEnter } from './enter';

const before = { text: '', choices: ['Ann', 'Ben'] };
const found = { text: 'zo', choices: ['Zoe', 'Zora'] };

test('what was found before is not taken for what is typed', () => {
  expect(takenByEnter('zo', before, false)).toBe('wait');
  expect(takenByEnter('zo', before, true)).toBe('wait');
  expect(takenByEnter('zo', { choices: [] }, false)).toBe('wait');
});

test('the first of what was found for the text is taken', () => {
  expect(takenByEnter('zo', found, false)).toEqual({ take: 'Zoe' });
});

test('what was pointed at is left to the list, and so is an empty field', () => {
  expect(takenByEnter('zo', found, true)).toBe('nothing');
  expect(takenByEnter('', before, false)).toBe('nothing');
});

test('where nothing was found nothing is taken', () => {
  expect(takenByEnter('zo', { text: 'zo', choices: [] }, false)).toBe('nothing');
});
