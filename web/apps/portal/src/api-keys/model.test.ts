import { expect, test } from 'vitest';

import { AREAS, inputOf, keySchema, levelsOf, newKey, scopeOf } from './model';

const key = { ...newKey, name: 'Directory sync' };
const messages = (form: unknown) =>
  keySchema.safeParse(form).error?.issues.map(({ path, message }) => [path.join('.'), message]) ?? [];

test('a key is for something', () => {
  expect(messages(key)).toEqual([['scopes', 'invalid.scopes']]);
  expect(messages({ ...key, scopes: { ...key.scopes, calls: 'read' } })).toEqual([]);
});

test('only days of its own are checked', () => {
  const form = { ...key, scopes: { ...key.scopes, calls: 'read' } };
  for (const days of ['', '0', '3651', 'soon', '1.5']) {
    expect(messages({ ...form, life: 'own', days })).toEqual([['days', 'invalid.key_days']]);
  }
  expect(messages({ ...form, life: 'own', days: '3650' })).toEqual([]);
  expect(messages({ ...form, life: 'never', days: 'soon' })).toEqual([]);
});

test('the form says scopes and days as the server wants them', () => {
  const scopes = { ...key.scopes, contacts: 'write', audit: 'read' } as const;
  expect(inputOf({ ...key, scopes, life: '90' })).toEqual({
    name: 'Directory sync',
    scopes: ['contacts:write', 'audit:read'],
    days: 90,
  });
  expect(inputOf({ ...key, scopes, life: 'own', days: '7' }).days).toBe(7);
  expect(inputOf({ ...key, scopes, life: 'never', days: '7' })).not.toHaveProperty('days');
});

test('what only people may do is not offered to a program', () => {
  expect(levelsOf('contacts', 'administrator')).toEqual(['none', 'read', 'write']);
  expect(levelsOf('members', 'owner')).toEqual(['none', 'read']);
  expect(levelsOf('audit', 'owner')).toEqual(['none', 'read']);
});

test('every area is known when it comes back', () => {
  expect(AREAS.map((area) => scopeOf(`${area}:write`)?.area)).toEqual([...AREAS]);
  expect(scopeOf('mailbox:read')).toBeUndefined();
  expect(scopeOf('contacts:own')).toBeUndefined();
});
