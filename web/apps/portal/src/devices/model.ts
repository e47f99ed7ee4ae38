/**
 * A device as its form has it, and what its page and the list say about it.
 */
import type { DeskPhoneMake, Device, DeviceInput, DeviceStatus, Mail } from '@tandem/api';
import type { Tone } from '@tandem/ui';

import { chosen, requiredText, z } from '../forms/checks';

export const MOST_ACCOUNTS = 4;

export const deviceSchema = z.object({
  name: requiredText(),
  contact_id: chosen(),
  account_ids: z
    .array(z.string())
    .check(z.minLength(1, 'invalid.account'), z.maxLength(MOST_ACCOUNTS, 'invalid.accounts')),
});

export type DeviceForm = z.infer<typeof deviceSchema>;

export function newDevice(contact_id: string): DeviceForm {
  return { name: '', contact_id, account_ids: [] };
}

export function formOf(device: Device): DeviceForm {
  return {
    name: device.name,
    contact_id: device.contact.id,
    account_ids: device.accounts.map(({ id }) => id),
  };
}

export function inputOf(form: DeviceForm): DeviceInput {
  return { name: form.name, contact_id: form.contact_id, account_ids: form.account_ids };
}

/** What changes when a device gets another person, as the names of the texts that say it. */
export type MoveChange = 'numbers' | 'shown' | 'stays' | 'open' | 'mailed' | 'fetched';

/** Somebody may have read the mail, or will. */
const MAILED: ReadonlySet<Mail['state']> = new Set(['queued', 'sent', 'kept']);

export function moveChanges({
  activated_at,
  desk_phone,
  instructions,
}: Pick<Device, 'activated_at' | 'desk_phone' | 'instructions'>): MoveChange[] {
  if (desk_phone) return ['fetched', 'numbers'];
  if (activated_at) return ['shown', 'numbers', 'stays'];
  const mailed = instructions && MAILED.has(instructions.state);
  return mailed ? ['numbers', 'open', 'mailed'] : ['numbers', 'open'];
}

export const DEVICE_TONES: Record<DeviceStatus, Tone> = {
  not_activated: 'waiting',
  online: 'good',
  offline: 'idle',
};

/** Of the mail with a device's activation; one that was superseded says nothing. */
export const INSTRUCTION_TONES: Record<Mail['state'], Tone | undefined> = {
  queued: 'waiting',
  sent: 'info',
  kept: 'waiting',
  failed: 'bad',
  superseded: undefined,
};

export interface CodeGroup {
  place: number;
  symbols: string;
}

/** `ABCD-EFGH-JKMN-PQRS` as its groups, for showing and reading aloud. */
export function codeGroups(code: string): CodeGroup[] {
  const symbols = code.replaceAll(/[^0-9A-Za-z]/g, '').toUpperCase();
  return (symbols.match(/.{1,4}/g) ?? []).map((group, place) => ({ place, symbols: group }));
}

/** The makes whose settings the server can write, those of phones first. */
export const DESK_PHONE_MAKES: DeskPhoneMake[] = ['yealink', 'snom', 'grandstream', 'baresip'];

/** `WINDOWS/macos/linux-x86_64` … as people say it. */
export function platformName(platform: string): string {
  const known: Record<string, string> = {
    linux: 'Linux',
    macos: 'macOS',
    windows: 'Windows',
    android: 'Android',
    ios: 'iOS',
    yealink: 'Yealink',
    snom: 'Snom',
    grandstream: 'Grandstream',
  };
  const [first = '', ...rest] = platform.split(/[\s-]+/);
  return [known[first.toLowerCase()] ?? first, ...rest].join(' ');
}
