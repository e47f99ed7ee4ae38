/**
 * Addresses to allow, in the order of the page and in the forms in which they are taken along.
 */
import type { AddressRule } from '@tandem/api';

export const GROUPS = ['server', 'provider', 'media'] as const;
export type GroupName = (typeof GROUPS)[number];

/** To whom it goes, except that sound is a matter of its own. */
export function groupOf({ purpose, to }: AddressRule): GroupName {
  if (purpose === 'media' || purpose === 'provider_media') return 'media';
  return to === 'provider' ? 'provider' : 'server';
}

/** The groups that have rules, in their order. */
export function groupsOf(rules: readonly AddressRule[]): { group: GroupName; rules: AddressRule[] }[] {
  return GROUPS.map((group) => ({ group, rules: rules.filter((rule) => groupOf(rule) === group) })).filter(
    (entry) => entry.rules.length > 0,
  );
}

/** `TCP 443`, `UDP 16384-32767`. */
export function portsOf({ protocol, first_port, last_port }: AddressRule): string {
  const ports = first_port === last_port ? String(first_port) : `${first_port}-${last_port}`;
  return `${protocol.toUpperCase()} ${ports}`;
}

/** Addresses that say more than the host does. */
export function otherAddresses({ host, addresses = [] }: AddressRule): string[] {
  return addresses.filter((address) => address !== host);
}

/** A rule in words of the reader's language. */
export interface Words {
  purpose: string;
  from: string;
  to: string;
  host: string;
  encrypted: string;
  needed: string;
}

/** One line a rule, as one writes it into a mail. */
export function textOf(rules: readonly AddressRule[], wordsOf: (rule: AddressRule) => Words): string {
  const line = (rule: AddressRule) => {
    const { purpose, from, host, needed } = wordsOf(rule);
    const others = otherAddresses(rule);
    const where = others.length > 0 ? `${host} (${others.join(', ')})` : host;
    return `${portsOf(rule)}: ${from} → ${where}: ${purpose}, ${needed}`;
  };
  return rules.map((rule) => `${line(rule)}\n`).join('');
}

/** A table for programs, by RFC 4180. */
export function csvOf(
  rules: readonly AddressRule[],
  head: readonly string[],
  wordsOf: (rule: AddressRule) => Words,
): string {
  const rows = rules.map((rule) => {
    const { purpose, from, to, host, encrypted, needed } = wordsOf(rule);
    const [protocol = '', ports = ''] = portsOf(rule).split(' ');
    const addresses = (rule.addresses ?? []).join(' ');
    return [purpose, from, to, host, addresses, protocol, ports, encrypted, needed];
  });
  return [head, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

/** Quoted where it must be; what a spreadsheet would take for a formula is marked as text. */
function field(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
