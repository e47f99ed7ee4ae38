/**
 * A person with a phone as one form has them: contact, account, device.
 *
 * What can be found out is not asked: the account is called as the person, its number is the next free one, its password is made by
 * the server and seen by nobody.
 */
import type { EquipInput, Provider } from '@tandem/api';

import { filled, sipUser, z } from '../forms/checks';
import { contactSchema, inputOf, nameOf, newContact, type ContactForm } from './model';

export interface EquipForm {
  contact: ContactForm;
  account: {
    source: 'new' | 'existing';
    existing: string;
    new: { provider_id: string; username: string; password: string; enter_on_device: boolean };
  };
  device: { name: string };
}

/** Longest name of an account or a device. */
const LONGEST_NAME = 100;

export const newEquip: EquipForm = {
  contact: newContact,
  account: {
    source: 'new',
    existing: '',
    new: { provider_id: '', username: '', password: '', enter_on_device: false },
  },
  device: { name: '' },
};

/** Without a phone only the contact is looked at. */
export const contactOnly = z.object({
  contact: contactSchema,
  account: z.custom<EquipForm['account']>(),
  device: z.custom<EquipForm['device']>(),
});

export function equipSchema(providers: readonly Provider[]) {
  const existing = z.object({
    source: z.literal('existing'),
    existing: z.string().check(z.minLength(1, 'invalid.choose')),
    new: z.custom<EquipForm['account']['new']>(),
  });
  const made = z.object({
    source: z.literal('new'),
    existing: z.string(),
    new: z
      .object({
        provider_id: z.string().check(z.minLength(1, 'invalid.choose')),
        username: sipUser(),
        password: z.string().check(z.maxLength(128, 'invalid.too_long')),
        enter_on_device: z.boolean(),
      })
      .check(
        z.refine(
          ({ provider_id, password, enter_on_device }) =>
            enter_on_device || password !== '' || isOwn(providers, provider_id),
          { message: 'invalid.required', path: ['password'] },
        ),
      ),
  });
  return z.object({
    contact: contactSchema,
    account: z.discriminatedUnion('source', [made, existing]),
    // Empty: it is called after the person.
    device: z.object({ name: z.string().check(z.trim(), z.maxLength(LONGEST_NAME, 'invalid.too_long')) }),
  });
}

/** Whether Tandem's own proxy makes the password. */
export function isOwn(providers: readonly Provider[], id: string): boolean {
  return providers.find((provider) => provider.id === id)?.own ?? false;
}

/** What is sent. `deviceName` is the name of a device that was given none. */
export function equipInputOf(
  form: EquipForm,
  providers: readonly Provider[],
  deviceName: string,
): EquipInput {
  return {
    contact: inputOf(form.contact),
    account: accountOf(form, providers),
    device: { name: (filled(form.device.name) ?? deviceName).slice(0, LONGEST_NAME) },
  };
}

function accountOf({ contact, account }: EquipForm, providers: readonly Provider[]): EquipInput['account'] {
  if (account.source === 'existing') return { existing: account.existing };
  const { provider_id, username, password, enter_on_device } = account.new;
  const onDevice = enter_on_device && !isOwn(providers, provider_id);
  return {
    new: {
      provider_id,
      username,
      name: nameOf(contact).slice(0, LONGEST_NAME),
      display_name: nameOf(contact).slice(0, LONGEST_NAME),
      enter_on_device: onDevice,
      password: onDevice ? undefined : filled(password),
    },
  };
}

const KEY = 'tandem.equip';

/** Whether this browser's last new contact got a phone. */
export function keptSwitch(): boolean {
  return localStorage.getItem(KEY) === 'on';
}

export function keepSwitch(on: boolean): void {
  localStorage.setItem(KEY, on ? 'on' : 'off');
}
