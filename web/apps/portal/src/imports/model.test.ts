import { expect, test } from 'vitest';

import {
  canUndo,
  changesOf,
  columnsLike,
  fieldOf,
  isNumber,
  missingOf,
  offeredFields,
  withColumn,
} from './model';

test('a field has a name that is there once, or a number', () => {
  expect(fieldOf('company')).toEqual({ once: 'company' });
  expect(fieldOf('email_2')).toEqual({ part: 'email', number: 2 });
  expect(fieldOf('number_12_label')).toEqual({ part: 'number_label', number: 12 });
  expect(fieldOf('fax')).toBeUndefined();
  expect(fieldOf('email_x')).toBeUndefined();
});

test('every offered field is known, and what a file has beyond them is offered too', () => {
  const offered = offeredFields(['number_9', undefined, 'email_1']);
  expect(offered.every((name) => fieldOf(name) !== undefined)).toBe(true);
  expect(offered.filter((name) => name === 'email_1')).toHaveLength(1);
  expect(offered).toContain('number_9');
  expect(offeredFields([])).not.toContain('number_9');
});

test('a field is filled by one column: choosing it takes it from the other', () => {
  expect(withColumn(['email_1', 'company', undefined], 2, 'email_1')).toEqual([
    undefined,
    'company',
    'email_1',
  ]);
  expect(withColumn(['email_1', undefined], 0, undefined)).toEqual([undefined, undefined]);
});

test('without an address or an id nobody is meant, without names nobody is new', () => {
  expect(missingOf(['first_name', 'last_name', 'email_1_label'])).toBe('person');
  expect(missingOf(['email_2', 'first_name'])).toBe('names');
  expect(missingOf(['id', 'first_name', 'last_name'])).toBeUndefined();
});

test('a corrected file with the same headings has the columns that were chosen', () => {
  const earlier = [{ heading: 'Post', field: 'email_1' }, { heading: 'Notes' }];
  const read = [{ heading: 'Post' }, { heading: 'Notes', field: 'company' }];
  expect(columnsLike(earlier, read)).toEqual(['email_1', undefined]);
  expect(columnsLike(undefined, read)).toEqual([undefined, 'company']);
  const other = [{ heading: 'Mail', field: 'email_1' }, { heading: 'Notes' }];
  expect(columnsLike(earlier, other)).toEqual(['email_1', undefined]);
  expect(columnsLike(earlier, [...read, { heading: 'x' }])).toEqual([undefined, 'company', undefined]);
});

test('a label is no number', () => {
  expect(['number_1', 'number_12', 'number_1_label', 'email_1', undefined].map(isNumber)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('an import can be taken back until its time is over', () => {
  const done = { state: 'committed', undo_until: '2026-01-02T00:00:00Z' } as const;
  expect(canUndo(done, new Date('2026-01-01T23:59:59Z'))).toBe(true);
  expect(canUndo(done, new Date('2026-01-02T00:00:00Z'))).toBe(false);
  expect(canUndo({ ...done, state: 'undone' }, new Date('2026-01-01T00:00:00Z'))).toBe(false);
});

test('what a row changes is said in words, names first', () => {
  const changes = {
    in_directory: [true, false],
    emails: [[], [{ address: 'ann@example.com', label: 'work' }]],
    company: [null, 'Example Ltd'],
  };
  const words = { yes: 'Yes', no: 'No', field: (name: string) => name };
  expect(changesOf({ changes: changes as never }, words)).toEqual([
    { name: 'company', before: undefined, after: 'Example Ltd' },
    { name: 'emails', before: undefined, after: 'ann@example.com · work' },
    { name: 'in_directory', before: 'Yes', after: 'No' },
  ]);
});
