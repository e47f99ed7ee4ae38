/**
 * A moment in the person's language and time zone.
 */
import { useTranslation } from 'react-i18next';

import { useNow } from './now';

interface DateTimeProps {
  /** RFC 3339. */
  at: string;
  /** `ago`: as a distance from now, with the moment itself when pointed at. */
  as?: 'moment' | 'day' | 'ago';
}

export function DateTime({ at, as = 'moment' }: DateTimeProps) {
  const { i18n } = useTranslation();
  const now = useNow();
  const moment = new Date(at);
  const exact = format(moment, i18n.language, as === 'day' ? 'day' : 'moment');
  return (
    <time dateTime={at} title={as === 'ago' ? exact : undefined}>
      {as === 'ago' ? ago(moment, now, i18n.language) : exact}
    </time>
  );
}

export function format(moment: Date, language: string, as: 'moment' | 'day'): string {
  const style =
    as === 'day'
      ? ({ dateStyle: 'medium' } as const)
      : ({ dateStyle: 'medium', timeStyle: 'short' } as const);
  return new Intl.DateTimeFormat(language, style).format(moment);
}

/** Seconds of each unit, largest first. */
const UNITS = [
  ['year', 31_556_952],
  ['month', 2_629_746],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const;

/** `3 hours ago`, `in 2 days`; less than a minute is `now`. */
export function ago(moment: Date, now: Date, language: string): string {
  const seconds = Math.trunc((moment.getTime() - now.getTime()) / 1000);
  const words = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  const unit = UNITS.find(([, length]) => Math.abs(seconds) >= length);
  return unit ? words.format(Math.trunc(seconds / unit[1]), unit[0]) : words.format(0, 'second');
}
