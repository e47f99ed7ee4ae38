import type { Provider } from '@tandem/api';
import { expect, test } from 'vitest';

import { z } from '../forms/checks';
import { contactOnly, equipInputOf, equipSchema, newEquip, type EquipForm } from './equip';

const providers = [
  { id: 'own', own: true },
  { id: 'telco', own: false },
] as Provider[];

const contact = {
  ...newEquip.contact,
  first_name: 'Nora',
  last_name: 'Nordmann',
  emails: [{ address: 'nora@example.com', label: 'work' as const }],
};

const form = (account: Partial<EquipForm['account']['new']>, more: Partial<EquipForm['account']> = {}) => ({
  contact,
  account: { ...newEquip.account, ...more, new: { ...newEquip.account.new, ...account } },
  device: { name: '' },
});

const wrong = (values: EquipForm) =>
  z.safeParse(equipSchema(providers), values).error?.issues.map(({ path }) => path.join('.'));

test('an account at the own provider needs a number only', () => {
  expect(wrong(form({ provider_id: 'own', username: '201' }))).toBeUndefined();
  expect(wrong(form({}))).toEqual([
    'account.new.provider_id',
    'account.new.username',
    'account.new.password',
  ]);
});

test('elsewhere the password is asked for, here or on the device', () => {
  const telco = { provider_id: 'telco', username: '4711' };
  expect(wrong(form(telco))).toEqual(['account.new.password']);
  expect(wrong(form({ ...telco, password: 'secret' }))).toBeUndefined();
  expect(wrong(form({ ...telco, enter_on_device: true }))).toBeUndefined();
});

test('an account that is there has to be chosen, and nothing of a new one', () => {
  expect(wrong(form({}, { source: 'existing' }))).toEqual(['account.existing']);
  expect(wrong(form({}, { source: 'existing', existing: 'a1' }))).toBeUndefined();
});

test('without a phone only the contact counts', () => {
  expect(z.safeParse(contactOnly, form({})).success).toBe(true);
  expect(z.safeParse(contactOnly, newEquip).success).toBe(false);
});

test('account and device are called after the person', () => {
  const sent = equipInputOf(form({ provider_id: 'own', username: '201' }), providers, 'Phone of Nora');
  expect(sent.account).toEqual({
    new: {
      provider_id: 'own',
      username: '201',
      name: 'Nora Nordmann',
      display_name: 'Nora Nordmann',
      enter_on_device: false,
      password: undefined,
    },
  });
  expect(sent.device).toEqual({ name: 'Phone of Nora' });
  expect(sent.contact?.first_name).toBe('Nora');
});

test('an account that is there is named alone', () => {
  const values = { ...form({}, { source: 'existing', existing: 'a1' }), device: { name: 'Desk' } };
  const sent = equipInputOf(values, providers, '');
  expect(sent.account).toEqual({ existing: 'a1' });
  expect(sent.device).toEqual({ name: 'Desk' });
});
