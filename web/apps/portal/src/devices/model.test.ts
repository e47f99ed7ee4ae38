import { expect, test } from 'vitest';

import { z } from '../forms/checks';
import { codeGroups, DESK_PHONE_MAKES, deviceSchema, newDevice, platformName, moveChanges } from './model';

const device = { ...newDevice('c1'), name: 'Desk', account_ids: ['a1'] };

test.each([
  [0, false],
  [1, true],
  [4, true],
  [5, false],
])('%i accounts: allowed is %s', (count, allowed) => {
  const account_ids = Array.from({ length: count }, (_, index) => `a${index}`);
  expect(z.safeParse(deviceSchema, { ...device, account_ids }).success).toBe(allowed);
});

test('a device belongs to a contact', () => {
  const { error } = z.safeParse(deviceSchema, { ...device, contact_id: '' });
  expect(error?.issues[0]?.message).toBe('invalid.choose');
});

test('a code is shown in groups of four, however it came', () => {
  const groups = ['7KQM', '2XWP', '9DTR', '4HVC'];
  for (const code of ['7KQM-2XWP-9DTR-4HVC', '7kqm2xwp9dtr4hvc', '7KQM 2XWP 9DTR 4HVC']) {
    expect(codeGroups(code).map(({ symbols }) => symbols)).toEqual(groups);
  }
});

test('platforms have the names people know', () => {
  expect(platformName('macos aarch64')).toBe('macOS aarch64');
  expect(platformName('linux')).toBe('Linux');
  expect(platformName('haiku')).toBe('haiku');
  expect(DESK_PHONE_MAKES.map(platformName)).toEqual(['Yealink', 'Snom', 'Grandstream', 'baresip']);
});

test('what a move changes depends on whether the phone is activated and who got its activation', () => {
  expect(moveChanges({ activated_at: '2026-01-01T00:00:00Z' })).toEqual(['shown', 'numbers', 'stays']);
  expect(moveChanges({})).toEqual(['numbers', 'open']);
  const desk_phone = { make: 'snom', made_at: '' } as const;
  expect(moveChanges({ desk_phone, activated_at: '2026-01-01T00:00:00Z' })).toEqual(['fetched', 'numbers']);
  const mail = { id: '', kind: 'activation', recipient: '', attempts: 1, created_at: '' } as const;
  expect(moveChanges({ instructions: { ...mail, state: 'sent' } })).toContain('mailed');
  expect(moveChanges({ instructions: { ...mail, state: 'kept' } })).toContain('mailed');
  expect(moveChanges({ instructions: { ...mail, state: 'failed' } })).not.toContain('mailed');
});
