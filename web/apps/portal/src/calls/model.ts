/**
 * What a call says, in terms of the page: which filter is chosen, how long it was, who took part.
 */
import type { Call, CallDirection, CallFilter, CallOutcome, CallParty } from '@tandem/api';
import type { Tone } from '@tandem/ui';

import { dayOf, given, idOf, spanOf, textOf } from '../pages/params';

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

/** What stands in the address of the page. Days are as a date field has them, `2026-11-23`. */
export interface Chosen {
  search?: string;
  contact?: string;
  account?: string;
  from?: string;
  to?: string;
  outcome?: CallOutcome;
  direction?: CallDirection;
}

/** What an address says; whatever makes no sense is left out. */
export function chosenOf(search: Record<string, unknown>): Chosen {
  return given({
    search: textOf(search.search),
    contact: idOf(search.contact),
    account: idOf(search.account),
    from: dayOf(search.from),
    to: dayOf(search.to),
    outcome: OUTCOMES.find((outcome) => outcome === search.outcome),
    direction: DIRECTIONS.find((direction) => direction === search.direction),
  });
}

/** The same in the terms of the server: the last day counts to its end, in the person's time zone. */
export function filterOf(chosen: Chosen): CallFilter {
  return given({
    search: chosen.search,
    contact_id: chosen.contact,
    account_id: chosen.account,
    ...spanOf(chosen.from, chosen.to),
    outcome: chosen.outcome,
    direction: chosen.direction,
  });
}

/** Whether the last day is before the first. */
export function isBackwards({ from, to }: Chosen): boolean {
  return from !== undefined && to !== undefined && to < from;
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
