import { expect, test } from 'vitest';

import { conflictsOf, proposal } from './conflict';

const base = { name: 'Desk', mail: 'a@example.com', lines: ['1'] };
const names = ['name', 'mail', 'lines'] as const;
const compare = (mine: Partial<typeof base>, theirs: Partial<typeof base>) =>
  conflictsOf(names, { base, mine: { ...base, ...mine }, theirs: { ...base, ...theirs } });

test('what the other person did not change is no conflict', () => {
  expect(compare({ name: 'Mine' }, {})).toEqual([]);
});

test('the same change by both is no conflict', () => {
  expect(compare({ name: 'New' }, { name: 'New' })).toEqual([]);
});

test('a field that only the other person changed is proposed as theirs', () => {
  const conflicts = compare({ name: 'Mine' }, { lines: ['1', '2'] });
  expect(conflicts).toEqual([{ name: 'lines', mine: ['1'], theirs: ['1', '2'], both: false }]);
  expect(proposal(conflicts)).toEqual({ lines: 'theirs' });
});

test('a field that both changed is proposed as mine', () => {
  const conflicts = compare({ name: 'Mine' }, { name: 'Theirs' });
  expect(conflicts).toEqual([{ name: 'name', mine: 'Mine', theirs: 'Theirs', both: true }]);
  expect(proposal(conflicts)).toEqual({ name: 'mine' });
});

test('only the named fields are compared: a password is never read back', () => {
  const before = { ...base, password: '' };
  const sides = {
    base: before,
    mine: { ...before, password: 'typed' },
    theirs: { ...before, password: 'x' },
  };
  expect(conflictsOf(names, sides)).toEqual([]);
});
