import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { exampleOf, found, missingOf, operationsOf, tryOf, type Description, type Operation } from './model';

const file = new URL('../../../../packages/api/openapi.json', import.meta.url);
const description = JSON.parse(readFileSync(file, 'utf8')) as Description;
const groups = operationsOf(description);

function operation(id: string): Operation {
  const known = groups.flatMap(({ operations }) => operations).find((one) => one.id === id);
  if (!known) throw new Error(id);
  return known;
}

test('every operation of the description is there, with its subject and a name', () => {
  const all = groups.flatMap(({ operations }) => operations);
  const count = Object.values(description.paths).flatMap((methods) => Object.keys(methods)).length;
  expect(all).toHaveLength(count);
  expect(all.filter(({ tag, summary }) => tag === '' || summary === '')).toEqual([]);
});

test('operations are found by any of their words', () => {
  const ids = found(groups, 'POST contacts').flatMap(({ operations }) => operations.map(({ id }) => id));
  expect(ids).toContain('contacts_create');
  expect(ids).not.toContain('contacts_list');
  expect(found(groups, 'nothing has this')).toEqual([]);
});

test('the example of a body has what must be there', () => {
  expect(exampleOf(operation('contacts_create').body, description)).toEqual({
    first_name: 'text',
    last_name: 'text',
    emails: [{ address: 'text', label: 'work' }],
  });
});

test('a shape that holds itself has an end', () => {
  const endless = {
    paths: {},
    components: {
      schemas: {
        Node: {
          type: 'object',
          properties: { next: { $ref: '#/components/schemas/Node' } },
          required: ['next'],
        },
      },
    },
  };
  expect(JSON.stringify(exampleOf({ $ref: '#/components/schemas/Node' }, endless))).toContain('null');
});

test('parameters go where they belong, and what is missing is named', () => {
  const list = operation('contacts_list');
  expect(missingOf(list, {})).toEqual(['tenant']);
  const sent = tryOf(list, { tenant: 'a b', search: 'x&y', limit: ' ' }, '');
  expect(sent).toEqual({
    url: '/api/v1/tenants/a%20b/contacts?search=x%26y',
    method: 'GET',
    headers: {},
    body: undefined,
  });
  const create = operation('contacts_create');
  const made = tryOf(create, { tenant: 't', 'Idempotency-Key': '"k"' }, '{}');
  expect(made.headers).toEqual({ 'Idempotency-Key': '"k"', 'Content-Type': 'application/json' });
  expect(made.body).toBe('{}');
});
