import { Users } from 'lucide-react';
import { expect, test } from 'vitest';

import { AREAS, isWithin, visible, type Area } from './table';

const area = (more: Partial<Area>): Area => ({
  group: 'people',
  rest: '/contacts',
  title: 'contacts.title',
  icon: Users,
  ...more,
});

const reader = { role: 'read_only', installation_administrator: false } as const;

test('an area for certain roles is shown to nobody else', () => {
  const owners = area({ roles: ['owner'] });
  expect(visible([owners], reader)).toEqual([]);
  expect(visible([owners], { ...reader, role: 'owner' })).toEqual([{ group: 'people', areas: [owners] }]);
});

test('an area of the installation is shown to its administrators only', () => {
  const system = area({ group: 'settings', installation: true });
  expect(visible([system], { ...reader, role: 'owner' })).toEqual([]);
  expect(visible([system], { ...reader, installation_administrator: true })).toHaveLength(1);
});

test('groups come in their order, each area in the order of the table', () => {
  const first = area({ group: 'settings' });
  const second = area({ group: 'start' });
  const third = area({ group: 'settings', rest: '/other' });
  expect(visible([first, second, third], reader)).toEqual([
    { group: 'start', areas: [second] },
    { group: 'settings', areas: [first, third] },
  ]);
});

test('a page below an area is within it, a longer name beside it is not', () => {
  const contacts = area({});
  expect(isWithin('/t/demo/contacts/42', '/t/demo/contacts', contacts)).toBe(true);
  expect(isWithin('/t/demo/contacts-old', '/t/demo/contacts', contacts)).toBe(false);
});

test('the overview is where one is on its own page only', () => {
  const overview = area({ rest: '' });
  expect(isWithin('/t/demo/', '/t/demo', overview)).toBe(true);
  expect(isWithin('/t/demo/contacts', '/t/demo', overview)).toBe(false);
});

test('no two areas live at one address or are reached by one key', () => {
  const keys = AREAS.map(({ key }) => key).filter(Boolean);
  expect(new Set(keys).size).toBe(keys.length);
  expect(new Set(AREAS.map(({ rest }) => rest)).size).toBe(AREAS.length);
});
