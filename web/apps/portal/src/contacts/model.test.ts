import { expect, test } from 'vitest';

import { z } from '../forms/checks';
import { callerIds, contactSchema, e164, formOf, inputOf, newContact, readable, textOf } from './model';

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

const accounts = [
  { own: true, username: '201', display_name: 'Alice A.', aor: 'sip:201@tandem.example' },
  { own: false, username: '4930555201', display_name: null, aor: 'sip:4930555201@telco.example' },
  { own: true, username: '202', display_name: null, aor: 'sip:202@tandem.example' },
];

test('accounts at the own proxy call inside, the others outside', () => {
  expect(callerIds(accounts)).toEqual({ internal: ['Alice A. <201>', '202'], external: ['4930555201'] });
});

test('a contact as text has a line for each thing that is known', () => {
  const contact = {
    ...alice,
    id: 'c1',
    job_title: 'Head of Sales',
    numbers: [
      { number: '+49301234567', label: 'desk' },
      { number: '+12025550142', label: '' },
    ],
    devices: [],
    version: 1,
  };
  const words = {
    internal: 'Inside',
    external: 'Outside',
    email: 'E-mail',
    number: 'Number',
    label: (label: string) => label.toUpperCase(),
  };
  expect(textOf(contact, accounts.slice(0, 2), words).split('\n')).toEqual([
    'Alice Andersen',
    'Head of Sales',
    'Number (DESK): +49 30 1234567',
    'Number: +1 202 555 0142',
    'E-mail (WORK): alice@example.com',
    'Inside: Alice A. <201>',
    'Outside: 4930555201',
  ]);
});
