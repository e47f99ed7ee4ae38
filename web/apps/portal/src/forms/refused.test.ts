import { Refusal, Unreachable, type Problem } from '@tandem/api';
import { expect, test } from 'vitest';

import en from './texts.en.json';
import { messagesOf } from './refused';

const refusal = (status: number, more: Partial<Problem> = {}) =>
  new Refusal(status, { type: 'x', title: 'x', status, detail: 'No.', request_id: 'r', ...more });

test('a message goes to its field', () => {
  const error = refusal(422, { errors: [{ field: 'username', message: 'Taken.' }] });
  expect(messagesOf(error, ['username'])).toEqual({ fields: [{ name: 'username', message: 'Taken.' }] });
});

test('a field in a list is found by its place', () => {
  const error = refusal(422, { errors: [{ field: 'numbers[1].number', message: 'Not E.164.' }] });
  expect(messagesOf(error, ['numbers']).fields).toEqual([
    { name: 'numbers.1.number', message: 'Not E.164.' },
  ]);
});

test('what no field can answer for is told as a whole', () => {
  const error = refusal(422, { errors: [{ field: 'slug', message: 'Taken.' }] });
  expect(messagesOf(error, ['name'])).toEqual({ fields: [], whole: 'Taken.' });
});

test('without fields the detail is told', () => {
  expect(messagesOf(refusal(409), ['name'])).toEqual({ fields: [], whole: 'No.' });
});

test.each([
  [new Unreachable(), 'unreachable'],
  [new Error('bug'), 'unknown'],
  [refusal(401), 'signed_out'],
  [refusal(412), 'stale'],
  [new Refusal(502, undefined), 'unknown'],
] as const)('case %#: has a text of ours', (error, key) => {
  expect(messagesOf(error, [])).toEqual({ fields: [], whole: `refused.${key}` });
  expect(en.refused[key]).not.toBe('');
});
