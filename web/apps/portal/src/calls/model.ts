/**
 * What a call says, in terms of the page: which filter is chosen, how long it was, who took part.
 */
import type { Call, CallDirection, CallFilter, CallOutcome, CallParty } from '@tandem/api';
import type { ListState, Tone } from '@tandem/ui';

import { dayOf, given, idOf, spanOf } from '../pages/params';

export const OUTCOMES = [
  'answered',
  'missed',
  'busy',
  'declined',
  'cancelled',
  'unregistered',
  'forwarded',
  'refused',
  'failed',
  'interrupted',
  'ongoing',
] as const satisfies readonly CallOutcome[];

export const DIRECTIONS = ['internal', 'incoming', 'outgoing'] as const satisfies readonly CallDirection[];

export const TONES: Record<CallOutcome, Tone> = {
  ongoing: 'info',
  answered: 'good',
  missed: 'bad',
  busy: 'waiting',
  declined: 'waiting',
  cancelled: 'idle',
  failed: 'bad',
  unregistered: 'waiting',
  refused: 'bad',
  forwarded: 'idle',
  interrupted: 'waiting',
};

/** What a list of calls can be narrowed by, as its address says it. Days are as a date field has them. */
export const CALL_FILTERS = ['outcome', 'direction', 'from', 'to', 'contact', 'account'] as const;

/**
 * What the list shows in the terms of the server; whatever makes no sense is left out. The last day counts to its end,
 * in the person's time zone.
 */
export function filterOf({ search, filters }: Pick<ListState, 'search' | 'filters'>): CallFilter {
  const [first, last] = [dayOf(filters.from?.[0]), dayOf(filters.to?.[0])];
  const backwards = first !== undefined && last !== undefined && last < first;
  return given({
    search,
    contact_id: idOf(filters.contact?.[0]),
    account_id: idOf(filters.account?.[0]),
    ...spanOf(first, backwards ? undefined : last),
    outcome: OUTCOMES.filter((outcome) => filters.outcome?.includes(outcome)).join(','),
    direction: DIRECTIONS.filter((direction) => filters.direction?.includes(direction)).join(','),
  });
}

/** The name by which a party is known best; `undefined` for one that withholds its identity. */
export function partyName({ contact, name, account, number, address }: CallParty): string | undefined {
  return contact?.name ?? name ?? account?.name ?? number ?? address ?? undefined;
}

/** `1:05` or `1:02:03`. */
export function clock(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = twoDigits(seconds % 60);
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${rest}` : `${minutes}:${rest}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** Seconds that it rang; `undefined` if nobody knows. */
export function rangFor({ started_at, answered_at, ended_at }: Call): number | undefined {
  const until = answered_at ?? ended_at;
  if (!until) return undefined;
  return Math.max(0, Math.round((Date.parse(until) - Date.parse(started_at)) / 1000));
}
