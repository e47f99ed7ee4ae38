/**
 * The settings of a provider as their form has them, and the way to and from the wire.
 */
import type { SignOnInput, SignOnSettings } from '@tandem/api';

import { filled, isHost, requiredText, z } from '../forms/checks';

export const NEW_PEOPLE = ['nobody', 'read_only'] as const;

const ISSUER = /^(https:\/\/|http:\/\/(localhost|127\.|\[::1\]))[^\s?#]+$/;

/** Domains with spaces or commas between them. */
export function domainsOf(text: string): string[] {
  return text.split(/[\s,;]+/).filter(Boolean);
}

export const signOnSchema = z.object({
  name: requiredText(60),
  issuer: requiredText(500).check(z.refine((text) => text === '' || ISSUER.test(text), 'invalid.issuer')),
  client_id: requiredText(255),
  client_secret: z.string(),
  domains: requiredText(2000).check(
    z.refine(
      (text) => domainsOf(text).every((domain) => domain.includes('.') && isHost(domain.replace(/^@/, ''))),
      'invalid.domains',
    ),
  ),
  new_people: z.enum(NEW_PEOPLE),
  trusts_addresses: z.boolean(),
  trusts_second_factor: z.boolean(),
  password_allowed: z.boolean(),
});

export type SignOnForm = z.infer<typeof signOnSchema>;

export function formOf({ provider }: SignOnSettings): SignOnForm {
  return {
    name: provider?.name ?? '',
    issuer: provider?.issuer ?? '',
    client_id: provider?.client_id ?? '',
    client_secret: '',
    domains: provider?.domains.join(', ') ?? '',
    new_people: provider?.new_people ?? 'nobody',
    trusts_addresses: provider?.trusts_addresses ?? false,
    trusts_second_factor: provider?.trusts_second_factor ?? false,
    password_allowed: provider?.password_allowed ?? true,
  };
}

export function inputOf({ client_secret, domains, ...rest }: SignOnForm): SignOnInput {
  return { ...rest, client_secret: filled(client_secret), domains: domainsOf(domains) };
}
