/**
 * The audit log in the terms of its page: what is looked for, and how an entry is said.
 */
import type { AuditEntry, AuditFilter } from '@tandem/api';
import type { FieldChange } from '@tandem/ui';

import { dayOf, given, idOf, spanOf, textOf } from '../pages/params';

/** What things are done to, as the first word of an action says it. */
export const KINDS = [
  'contact',
  'device',
  'account',
  'provider',
  'member',
  'invitation',
  'api_key',
  'call',
  'session',
  'mail_settings',
  'retention',
  'tenant',
  'webhook',
  'audit',
] as const;

export type Kind = (typeof KINDS)[number];

/** What stands in the address of the page. */
export interface Chosen {
  search?: string;
  who?: string;
  what?: Kind;
  object?: string;
  from?: string;
  to?: string;
}

export function chosenOf(search: Record<string, unknown>): Chosen {
  return given({
    search: textOf(search.search),
    who: textOf(search.who),
    what: KINDS.find((kind) => kind === search.what),
    object: idOf(search.object),
    from: dayOf(search.from),
    to: dayOf(search.to),
  });
}

/** The same in the terms of the server. */
export function filterOf({ search, who, what, object, from, to }: Chosen): AuditFilter {
  return given({ search, actor: who, action: what && `${what}.`, object, ...spanOf(from, to) });
}

/** Pages of things that still exist, by kind. */
const PAGES: Partial<Record<string, string>> = {
  contact: '/contacts',
  device: '/devices',
  account: '/accounts',
  provider: '/providers',
  webhook: '/webhooks',
};

/** `contact.create` as its two words. */
export function wordsOf(action: string): { kind: string; verb: string } {
  const [kind = '', verb = ''] = action.split('.', 2);
  return { kind, verb };
}

/** The page of what an entry is about, below the tenant; nothing where there is none, or not any more. */
export function pageOf({ action, object }: Pick<AuditEntry, 'action' | 'object'>): string | undefined {
  const { kind, verb } = wordsOf(action);
  const page = PAGES[kind];
  return page && object && verb !== 'delete' ? `${page}/${object}` : undefined;
}

interface Words {
  yes: string;
  no: string;
  /** What a field is called. */
  field: (name: string) => string;
}

/** Each field that changed, as people read it. */
export function changesOf({ changes }: Pick<AuditEntry, 'changes'>, words: Words): FieldChange[] {
  return Object.entries(changes).map(([name, pair]) => {
    const [before, after] = pair as [unknown, unknown];
    return { name: words.field(name), before: valueOf(before, words), after: valueOf(after, words) };
  });
}

/** A value in words; `undefined` for nothing. Of a thing with several parts these, without its identifier. */
export function valueOf(value: unknown, words: Pick<Words, 'yes' | 'no'>): string | undefined {
  if (value === null || value === undefined || value === '') return undefined;
  if (typeof value === 'boolean') return value ? words.yes : words.no;
  if (Array.isArray(value)) {
    const parts = value.map((part) => valueOf(part, words)).filter((part) => part !== undefined);
    return parts.length === 0 ? undefined : parts.join('\n');
  }
  if (typeof value === 'object') {
    const parts = Object.entries(value)
      .filter(([name, part]) => name !== 'id' && part !== null && part !== '')
      .map(([, part]) => valueOf(part, words));
    return parts.filter((part) => part !== undefined).join(' · ');
  }
  return String(value);
}
