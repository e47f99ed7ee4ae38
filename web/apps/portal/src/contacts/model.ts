/**
 * A contact as its form has it, and the way to and from the wire.
 *
 * Numbers are typed as people write them and sent as E.164.
 */
import type { Contact, ContactInput } from '@tandem/api';
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
