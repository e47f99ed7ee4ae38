import type { Contact, Device, Provider } from '@tandem/api';
import { expect, test } from 'vitest';

import { nextStep, steps, summary } from './model';

const device = (id: string, status: Device['status']) => ({ id, status }) as Device;
const own = { own: true } as Provider;
const empty = { providers: [own], contacts: [], devices: [], live: {} };
const nora = { id: 'c1' } as Contact;

const next = (inventory: Parameters<typeof steps>[0]) => nextStep(steps(inventory));

test('the way to the first phone goes one step at a time', () => {
  expect(next({ ...empty, providers: [] })?.name).toBe('provider');
  expect(next(empty)).toMatchObject({ name: 'person', page: '/contacts/new?phone=on' });
  expect(next({ ...empty, devices: [device('d1', 'not_activated')] })?.name).toBe('activate');
  expect(next({ ...empty, devices: [device('d1', 'offline')] })).toBeUndefined();
});

test('somebody who is there already gets the phone', () => {
  expect(next({ ...empty, contacts: [nora] })?.page).toBe('/contacts/c1/phone');
});

test('the activation step leads to the device that waits', () => {
  const devices = [device('d1', 'not_activated')];
  expect(steps({ ...empty, devices }).at(-1)?.page).toBe('/devices/d1');
});

test('the live channel knows better than the list', () => {
  const devices = [device('d1', 'not_activated'), device('d2', 'online')];
  const live = { d1: { id: 'd1', status: 'online' as const, not_started: false, pending_update: false } };
  expect(summary(devices, live)).toEqual({ online: 2, waiting: 0 });
  expect(next({ ...empty, devices, live })).toBeUndefined();
});
