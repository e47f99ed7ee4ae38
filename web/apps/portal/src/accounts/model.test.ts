import type { Account, Provider } from '@tandem/api';
import { expect, test } from 'vitest';

import { z } from '../forms/checks';
import { accountSchema, CODECS, formOf, inputOf, newAccount } from './model';

const own: Provider = {
  id: 'own',
  name: 'Tandem',
  server: 'demo.tandem.localhost',
  transport: 'udp',
  own: true,
  accounts: 0,
  version: 1,
};
const telco: Provider = { ...own, id: 'telco', name: 'Telco', server: 'sip.example.com', own: false };
const providers = [own, telco];

const saved: Account = {
  id: 'a1',
  provider_id: 'telco',
  name: 'Front desk',
  username: '201',
  enter_on_device: false,
  codecs: ['opus', 'pcma'],
  dialing_rules: [],
  own: false,
  aor: 'sip:201@sip.example.com',
  status: 'offline',
  push: false,
  devices: [],
  version: 1,
};

const filled = (provider: string) => ({ ...newAccount(provider), name: 'Front desk', username: '201' });

function wrong(form: unknown, account?: Account): string[] {
  const { error } = z.safeParse(accountSchema(providers, account), form);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')} ${message}`);
}

test("Tandem's own proxy needs no password", () => {
  expect(wrong(filled('own'))).toEqual([]);
});

test('another provider needs one', () => {
  expect(wrong(filled('telco'))).toEqual(['password invalid.required']);
  expect(wrong({ ...filled('telco'), password: 'secret' })).toEqual([]);
});

test('no password is needed when the person types it on the device', () => {
  expect(wrong({ ...filled('telco'), enter_on_device: true })).toEqual([]);
});

test('a saved password may stay as it is', () => {
  expect(wrong(formOf(saved), saved)).toEqual([]);
});

test('a password is needed when it is no longer entered on the device', () => {
  const onDevice = { ...saved, enter_on_device: true };
  expect(wrong({ ...formOf(onDevice), enter_on_device: false }, onDevice)).toEqual([
    'password invalid.required',
  ]);
});

test('a password is never read back and an empty one is not sent', () => {
  const form = formOf(saved);
  expect(form.password).toBe('');
  expect(inputOf(form, telco)).not.toHaveProperty('password', '');
  expect(inputOf(form, telco).password).toBeUndefined();
});

test('a password typed before the switch was turned on is not sent', () => {
  const form = { ...filled('telco'), password: 'secret', enter_on_device: true };
  expect(inputOf(form, telco)).toMatchObject({ password: undefined, enter_on_device: true });
});

test('entering on the device is not possible at our own proxy', () => {
  expect(inputOf({ ...filled('own'), enter_on_device: true }, own).enter_on_device).toBe(false);
});

test("the provider's protocol is not repeated", () => {
  expect(inputOf(filled('own'), own).transport).toBeUndefined();
  expect(inputOf({ ...filled('own'), transport: 'tls' }, own).transport).toBe('tls');
});

test('the order of codecs is kept and none at all is refused', () => {
  expect(inputOf(formOf(saved), telco).codecs).toEqual(['opus', 'pcma']);
  expect(newAccount('own').codecs).toEqual([...CODECS]);
  expect(wrong({ ...filled('own'), codecs: [] })).toEqual(['codecs invalid.codec']);
});
