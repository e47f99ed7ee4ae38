import { expect, test } from 'vitest';

import { z } from '../forms/checks';
import { contactSchema, e164, formOf, inputOf, newContact, readable } from './model';

test.each([
  ['+49 30 1234567', '+49301234567'],
  ['0049 (30) 123-4567', '+49301234567'],
  ['+1 202-555-0142', '+12025550142'],
])('%s is sent as %s', (typed, sent) => {
  expect(e164(typed)).toBe(sent);
});

test.each(['030 1234567', 'alice', '+', '+49', '+0 123 456'])('%s has no E.164 form', (typed) => {
  expect(e164(typed)).toBeUndefined();
});

test('numbers are shown in groups', () => {
  expect(readable('+49301234567')).toBe('+49 30 1234567');
});

const alice = {
  ...newContact,
  first_name: 'Alice',
  last_name: 'Andersen',
  emails: [{ address: 'alice@example.com', label: 'work' as const }],
};

test('a contact needs names and an e-mail address, and nothing else', () => {
  const { error } = z.safeParse(contactSchema, newContact);
  expect(error?.issues.map(({ path }) => path.join('.')).sort()).toEqual([
    'emails.0.address',
    'first_name',
    'last_name',
  ]);
  expect(z.safeParse(contactSchema, alice).success).toBe(true);
});

test('a wrong number is named by its place', () => {
  const numbers = [
    { number: '+49 30 1234567', label: 'work' },
    { number: '12', label: 'mobile' },
  ];
  const { error } = z.safeParse(contactSchema, { ...alice, numbers });
  expect(error?.issues.map(({ path, message }) => [path.join('.'), message])).toEqual([
    ['numbers.1.number', 'invalid.number'],
  ]);
});

test('what was read is sent back unchanged', () => {
  const contact = {
    id: 'c1',
    first_name: 'Alice',
    last_name: 'Andersen',
    company: 'Tandem',
    in_directory: false,
    numbers: [{ number: '+49301234567', label: 'desk' }],
    emails: [{ address: 'alice@example.com', label: 'home' as const }],
    devices: [],
    version: 2,
  };
  expect(inputOf(formOf(contact))).toEqual({
    first_name: 'Alice',
    last_name: 'Andersen',
    company: 'Tandem',
    job_title: undefined,
    in_directory: false,
    numbers: [{ number: '+49301234567', label: 'desk' }],
    emails: [{ address: 'alice@example.com', label: 'home' }],
  });
});
