import { expect, test } from 'vitest';

import { changesOf, chosenOf, filterOf, pageOf, valueOf } from './model';

const words = { yes: 'Yes', no: 'No', field: (name: string) => name.replaceAll('_', ' ') };

test('what makes no sense in an address is left out', () => {
  expect(chosenOf({ who: 'ada@example.org', what: 'contact', from: '2026-11-23' })).toEqual({
    who: 'ada@example.org',
    what: 'contact',
    from: '2026-11-23',
  });
  expect(
    chosenOf({ what: 'nonsense', object: '12', from: 'yesterday', to: '2026-13-45', search: '' }),
  ).toEqual({});
});

test('a kind is asked for as the beginning of the action, a day to its end', () => {
  const { action, until } = filterOf({ what: 'contact', to: '2026-11-23' });
  expect(action).toBe('contact.');
  expect(until).toBe(new Date('2026-11-24T00:00:00').toISOString());
});

test('what is gone has no page', () => {
  const object = '0193e4c8-0000-7000-8000-000000000000';
  expect(pageOf({ action: 'contact.update', object })).toBe(`/contacts/${object}`);
  expect(pageOf({ action: 'contact.delete', object })).toBeUndefined();
  expect(pageOf({ action: 'session.create', object })).toBeUndefined();
  expect(pageOf({ action: 'call.export', object: null })).toBeUndefined();
});

test.each([
  [null, undefined],
  ['', undefined],
  [[], undefined],
  [true, 'Yes'],
  [false, 'No'],
  [5060, '5060'],
  [['opus', 'pcma'], 'opus\npcma'],
  [[{ address: 'a@b.example', label: 'work' }], 'a@b.example · work'],
  [{ id: 'x', name: 'Nora', company: null }, 'Nora'],
])('%j is read as %j', (value, read) => {
  expect(valueOf(value, words)).toBe(read);
});

test('a field has its name and both sides', () => {
  expect(changesOf({ changes: { first_name: ['Ada', 'Grace'], company: [null, 'Acme'] } }, words)).toEqual([
    { name: 'first name', before: 'Ada', after: 'Grace' },
    { name: 'company', before: undefined, after: 'Acme' },
  ]);
});
