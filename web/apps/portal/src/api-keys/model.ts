/**
 * What a key may be used for, in the terms of its form: for each area nothing, looking, or changing too.
 */
import type { ApiKeyInput, Role } from '@tandem/api';

import { requiredText, z } from '../forms/checks';

/** Areas that a key can be made for, as the server calls them. */
export const AREAS = [
  'contacts',
  'devices',
  'activations',
  'accounts',
  'providers',
  'calls',
  'members',
  'mail',
  'retention',
  'audit',
] as const;

export type KeyArea = (typeof AREAS)[number];

export const LEVELS = ['none', 'read', 'write'] as const;

export type Level = (typeof LEVELS)[number];

/**
 * What a program cannot change: the log is only read, and the others take somebody who proves who they are, or are for
 * people alone.
 */
const FOR_PEOPLE: ReadonlySet<KeyArea> = new Set(['audit', 'members', 'mail', 'retention']);

/** What can be chosen for an area: no key may do more than who makes it. */
export function levelsOf(area: KeyArea, role: Role): Level[] {
  if (role === 'read_only') return ['none'];
  return FOR_PEOPLE.has(area) ? ['none', 'read'] : [...LEVELS];
}

/** Days after which a key ends; own: as typed; never: it does not. */
export const LIVES = ['30', '90', '365', 'own', 'never'] as const;

export const MOST_DAYS = 3650;

const level = () => z.enum(LEVELS);

export const keySchema = z
  .object({
    name: requiredText(),
    scopes: z
      .object({
        contacts: level(),
        devices: level(),
        activations: level(),
        accounts: level(),
        providers: level(),
        calls: level(),
        members: level(),
        mail: level(),
        retention: level(),
        audit: level(),
      })
      .check(
        z.refine((scopes) => Object.values(scopes).some((chosen) => chosen !== 'none'), 'invalid.scopes'),
      ),
    life: z.enum(LIVES),
    days: z.string().check(z.trim()),
  })
  .check((context) => {
    const { life, days } = context.value;
    const valid = /^\d{1,4}$/.test(days) && Number(days) >= 1 && Number(days) <= MOST_DAYS;
    if (life === 'own' && !valid) {
      context.issues.push({ code: 'custom', input: days, path: ['days'], message: 'invalid.key_days' });
    }
  });

export type KeyForm = z.infer<typeof keySchema>;

export const newKey: KeyForm = {
  name: '',
  scopes: {
    contacts: 'none',
    devices: 'none',
    activations: 'none',
    accounts: 'none',
    providers: 'none',
    calls: 'none',
    members: 'none',
    mail: 'none',
    retention: 'none',
    audit: 'none',
  },
  life: '365',
  days: '',
};

export function inputOf({ name, scopes, life, days }: KeyForm): ApiKeyInput {
  const chosen = AREAS.filter((area) => scopes[area] !== 'none').map((area) => `${area}:${scopes[area]}`);
  if (life === 'never') return { name, scopes: chosen };
  return { name, scopes: chosen, days: Number(life === 'own' ? days : life) };
}

/** `contacts:read` as its two words; `undefined` for what a newer server knows. */
export function scopeOf(scope: string): { area: KeyArea; level: 'read' | 'write' } | undefined {
  const [name, access] = scope.split(':');
  const area = AREAS.find((known) => known === name);
  if (!area || (access !== 'read' && access !== 'write')) return undefined;
  return { area, level: access };
}
