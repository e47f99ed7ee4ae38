/**
 * A contact as its form has it, and the way to and from the wire.
 *
 * Numbers are typed as people write them and sent as E.164.
 */
import type { Account, Contact, ContactInput } from '@tandem/api';
import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

import { email, filled, optionalText, requiredText, z } from '../forms/checks';

export const NUMBER_LABELS = ['work', 'mobile', 'home', 'other'] as const;
export const EMAIL_LABELS = ['work', 'home'] as const;

/** The E.164 form of a number with its country code, or `undefined`. */
export function e164(text: string): string | undefined {
  const number = parsePhoneNumberFromString(text.trim().replace(/^00/, '+'));
  return number?.isPossible() ? number.number : undefined;
}

/** A number as it is read best, `+49 30 1234567`. */
export function readable(number: string): string {
  return parsePhoneNumberFromString(number)?.formatInternational() ?? number;
}

export const contactSchema = z.object({
  first_name: requiredText(),
  last_name: requiredText(),
  company: optionalText(),
  job_title: optionalText(),
  in_directory: z.boolean(),
  numbers: z.array(
    z.object({
      number: requiredText(40).check(
        z.refine((text) => text === '' || e164(text) !== undefined, 'invalid.number'),
      ),
      label: optionalText(40),
    }),
  ),
  emails: z
    .array(z.object({ address: email(), label: z.enum(EMAIL_LABELS) }))
    .check(z.minLength(1, 'invalid.required')),
});

export type ContactForm = z.infer<typeof contactSchema>;

export const newContact: ContactForm = {
  first_name: '',
  last_name: '',
  company: '',
  job_title: '',
  in_directory: true,
  numbers: [],
  emails: [{ address: '', label: 'work' }],
};

export function formOf(contact: Contact): ContactForm {
  return {
    first_name: contact.first_name,
    last_name: contact.last_name,
    company: contact.company ?? '',
    job_title: contact.job_title ?? '',
    in_directory: contact.in_directory,
    numbers: contact.numbers.map(({ number, label }) => ({ number: readable(number), label })),
    emails: contact.emails.map(({ address, label }) => ({ address, label })),
  };
}

export function inputOf(form: ContactForm): ContactInput {
  return {
    first_name: form.first_name,
    last_name: form.last_name,
    company: filled(form.company),
    job_title: filled(form.job_title),
    in_directory: form.in_directory,
    numbers: form.numbers.map(({ number, label }) => ({ number: e164(number) ?? number, label })),
    emails: form.emails,
  };
}

export function nameOf({ first_name, last_name }: Pick<Contact, 'first_name' | 'last_name'>): string {
  return `${first_name} ${last_name}`;
}

/** What an account shows to those it calls. */
type Shown = Pick<Account, 'display_name' | 'username' | 'aor' | 'own'>;

/**
 * The caller's name and number, inside the company by the accounts at Tandem's proxy, outside by those at other providers, which have the
 * last word on the number.
 */
export function callerIds(accounts: readonly Shown[]): { internal: string[]; external: string[] } {
  const shown = (own: boolean) =>
    accounts
      .filter((account) => account.own === own)
      .map(({ display_name: name, username }) => (name ? `${name} <${username}>` : username));
  return { internal: shown(true), external: shown(false) };
}

interface TextWords {
  internal: string;
  external: string;
  email: string;
  number: string;
  /** A label in the reader's language; one that somebody made up stays as it is. */
  label: (label: string) => string;
}

/** A person in lines of text, for a mail or a note. */
export function textOf(contact: Contact, accounts: readonly Shown[], words: TextWords): string {
  const { internal, external } = callerIds(accounts);
  const labelled = (word: string, label?: string | null) =>
    label ? `${word} (${words.label(label)})` : word;
  return [
    nameOf(contact),
    [contact.job_title, contact.company].filter(Boolean).join(', '),
    ...contact.numbers.map(({ number, label }) => `${labelled(words.number, label)}: ${readable(number)}`),
    ...contact.emails.map(({ address, label }) => `${labelled(words.email, label)}: ${address}`),
    ...internal.map((caller) => `${words.internal}: ${caller}`),
    ...external.map((caller) => `${words.external}: ${caller}`),
  ]
    .filter(Boolean)
    .join('\n');
}
