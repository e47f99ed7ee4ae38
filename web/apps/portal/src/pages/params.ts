/**
 * What the address of a page says, as values; whatever makes no sense is `undefined`.
 */

/** Plain text. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** An identifier of the server. */
export function idOf(value: unknown): string | undefined {
  return typeof value === 'string' && UUID.test(value) ? value : undefined;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A day as a date field has it, `2026-11-23`. */
export function dayOf(value: unknown): string | undefined {
  return typeof value === 'string' && midnight(value) ? value : undefined;
}

/** From the beginning of the first day to the end of the last, in the person's time zone and the terms of the server. */
export function spanOf(first: string | undefined, last: string | undefined) {
  const from = first === undefined ? undefined : midnight(first);
  const until = last === undefined ? undefined : midnight(last);
  until?.setDate(until.getDate() + 1);
  return { from: from?.toISOString(), until: until?.toISOString() };
}

/** Midnight of a day, here; `undefined` if it is none. */
function midnight(day: string): Date | undefined {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(day) ? new Date(`${day}T00:00:00`) : new Date(NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** Without what is absent or empty. */
export function given<Values extends object>(values: Values): {
  [Name in keyof Values]?: Exclude<Values[Name], undefined>;
} {
  const kept = Object.entries(values).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(kept) as { [Name in keyof Values]?: Exclude<Values[Name], undefined> };
}
