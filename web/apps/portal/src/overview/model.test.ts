import type { Account, Contact, Device } from '@tandem/api';
import { expect, test } from 'vitest';

import { nextStep, steps, summary } from './model';

const device = (id: string, status: Device['status']) => ({ id, status }) as Device;
const empty = { accounts: [], contacts: [], devices: [], live: {} };
const some = { accounts: [{} as Account], contacts: [{} as Contact] };

const next = (inventory: Parameters<typeof steps>[0]) => nextStep(steps(inventory))?.name;

test('the way to the first device goes one step at a time', () => {
  expect(next(empty)).toBe('account');
  expect(next({ ...empty, accounts: some.accounts })).toBe('contact');
  expect(next({ ...empty, ...some })).toBe('device');
  expect(next({ ...empty, ...some, devices: [device('d1', 'not_activated')] })).toBe('activate');
  expect(next({ ...empty, ...some, devices: [device('d1', 'offline')] })).toBeUndefined();
});

test('the activation step leads to the device that waits', () => {
  const devices = [device('d1', 'not_activated')];
  expect(steps({ ...empty, ...some, devices }).at(-1)?.page).toBe('/devices/d1');
});

test('the live channel knows better than the list', () => {
  const devices = [device('d1', 'not_activated'), device('d2', 'online')];
  const live = { d1: { id: 'd1', status: 'online' as const, pending_update: false } };
  expect(summary(devices, live)).toEqual({ online: 2, waiting: 0 });
  expect(next({ ...some, devices, live })).toBeUndefined();
});
