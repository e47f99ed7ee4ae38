import { Refusal, Unreachable, type Problem } from '@tandem/api';
import { expect, test } from 'vitest';

import en from './texts.en.json';
import { errorsOf, messagesOf, placed } from './refused';

const refusal = (status: number, more: Partial<Problem> = {}) =>
  new Refusal(status, { type: 'x', title: 'x', status, detail: 'No.', request_id: 'r', ...more });

test('a message goes to its field', () => {
  const error = refusal(422, { errors: [{ field: 'username', message: 'Taken.' }] });
  expect(messagesOf(error, ['username'])).toEqual({ fields: [{ name: 'username', message: 'Taken.' }] });
});

test('a field in a list is found by its place', () => {
  const error = refusal(422, { errors: [{ field: 'numbers[1].number', message: 'Not E.164.' }] });
  const known = ['numbers', 'numbers.1.number', 'numbers.1.label'];
  expect(messagesOf(error, known).fields).toEqual([{ name: 'numbers.1.number', message: 'Not E.164.' }]);
});

test('a message that has no place of its own goes to the nearest around it', () => {
  const error = refusal(422, {
    errors: [
      { field: 'domains[0]', message: 'Not a domain.' },
      { field: 'domains[2]', message: 'Not one either.' },
    ],
  });
  expect(messagesOf(error, ['domain', 'domains'])).toEqual({
    fields: [{ name: 'domains', message: 'Not a domain.' }],
  });
});

test('a message of a list is not lost where only its entries have places', () => {
  const error = refusal(422, { errors: [{ field: 'numbers', message: 'Each only once.' }] });
  expect(messagesOf(error, ['numbers.0.number', 'numbers.1.number'])).toEqual({
    fields: [],
    whole: 'Each only once.',
  });
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

test('a check of a field that is not shown is told as a whole', () => {
  const numbers = Object.assign([undefined, { number: { type: 'custom', message: 'invalid.number' } }], {
    root: { type: 'custom', message: 'invalid.required' },
  });
  const errors = errorsOf({ account: { new: { provider_id: { message: 'invalid.choose' } } }, numbers });
  expect(errors).toEqual([
    { name: 'account.new.provider_id', message: 'invalid.choose' },
    { name: 'numbers.1.number', message: 'invalid.number' },
    { name: 'numbers', message: 'invalid.required' },
  ]);
  expect(placed(errors, ['numbers', 'numbers.1.number', 'account.new.username'])).toEqual({
    fields: [
      { name: 'numbers.1.number', message: 'invalid.number' },
      { name: 'numbers', message: 'invalid.required' },
    ],
    whole: 'invalid.choose',
  });
});
