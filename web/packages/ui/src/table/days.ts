/**
 * Days as a date field has them, `2026-11-23`, in the person's time zone.
 */

/** Both days belong to it; an empty one bounds nothing. */
export interface Period {
  from: string;
  to: string;
}

/** The last so many days until today, today included. */
export function lastDays(days: number, today: Date): Period {
  const first = new Date(today);
  first.setDate(first.getDate() - days + 1);
  return { from: dayText(first), to: dayText(today) };
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

export function dayText(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

interface Words {
  from: (day: string) => string;
  to: (day: string) => string;
}

/** A period in a few words; what is no day is said as it is. */
export function spanText({ from, to }: Period, language: string, words: Words): string {
  const format = new Intl.DateTimeFormat(language, { dateStyle: 'medium' });
  const say = (day: string) => {
    const date = new Date(`${day}T00:00:00`);
    return Number.isNaN(date.getTime()) ? day : format.format(date);
  };
  if (from === to) return from === '' ? '' : say(from);
  if (from === '') return words.to(say(to));
  if (to === '') return words.from(say(from));
  return `${say(from)} – ${say(to)}`;
}
