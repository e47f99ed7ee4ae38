/**
 * What the overview counts and suggests.
 */
import type { Account, Contact, Device, DeviceLive } from '@tandem/api';

export interface Step {
  name: 'account' | 'contact' | 'device' | 'activate';
  /** Below the tenant. */
  page: string;
  done: boolean;
}

interface Inventory {
  accounts: Account[];
  contacts: Contact[];
  devices: Device[];
  live: Record<string, DeviceLive>;
}

/** The way to the first working device. */
export function steps({ accounts, contacts, devices, live }: Inventory): Step[] {
  const waiting = devices.find((device) => statusOf(device, live) === 'not_activated');
  const activated = devices.some((device) => statusOf(device, live) !== 'not_activated');
  return [
    { name: 'account', page: '/accounts/new', done: accounts.length > 0 },
    { name: 'contact', page: '/contacts/new', done: contacts.length > 0 },
    { name: 'device', page: '/devices/new', done: devices.length > 0 },
    { name: 'activate', page: waiting ? `/devices/${waiting.id}` : '/devices', done: activated },
  ];
}

/** The first step that is not done; `undefined` when all are. */
export function nextStep(plan: Step[]): Step | undefined {
  return plan.find(({ done }) => !done);
}

/** Devices that are there, and those whose activation is still open. */
export function summary(devices: Device[], live: Record<string, DeviceLive>) {
  const all = devices.map((device) => statusOf(device, live));
  return {
    online: all.filter((status) => status === 'online').length,
    waiting: all.filter((status) => status === 'not_activated').length,
  };
}

function statusOf(device: Device, live: Record<string, DeviceLive>) {
  return live[device.id]?.status ?? device.status;
}
