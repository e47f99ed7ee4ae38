/**
 * What the overview counts and suggests.
 */
import type { Contact, Device, DeviceLive, Provider } from '@tandem/api';

export interface Step {
  name: 'administrator' | 'provider' | 'person' | 'activate';
  /** Below the tenant. */
  page: string;
  done: boolean;
}

interface Inventory {
  providers: Provider[];
  contacts: Contact[];
  devices: Device[];
  live: Record<string, DeviceLive>;
}

/** The way to the first working phone. Whoever reads this is signed in as an administrator already. */
export function steps({ providers, contacts, devices, live }: Inventory): Step[] {
  const waiting = devices.find((device) => statusOf(device, live) === 'not_activated');
  const activated = devices.some((device) => statusOf(device, live) !== 'not_activated');
  // Who is there already gets a phone; with nobody there the person is made together with it.
  const [person] = contacts;
  return [
    { name: 'administrator', page: '', done: true },
    { name: 'provider', page: '/providers/new', done: providers.length > 0 },
    {
      name: 'person',
      page: person ? `/contacts/${person.id}/phone` : '/contacts/new?phone=on',
      done: devices.length > 0,
    },
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
