/**
 * Where the messages of a refused request belong in a form.
 */
import { Refusal, Unreachable } from '@tandem/api';

/** Messages for fields of the form, and the sentence for what no field can answer for. */
export interface Messages {
  fields: { name: string; message: string }[];
  /** A finished sentence or a key below `refused`. */
  whole?: string;
}

/**
 * Sorts a refusal into messages for fields that the form has and one for the rest.
 *
 * A field is known by its path (`numbers[1].number` on the wire, `numbers.1.number` in the form) or by the
 * beginning of it.
 */
export function messagesOf(error: unknown, known: readonly string[]): Messages {
  if (error instanceof Unreachable) return { fields: [], whole: 'refused.unreachable' };
  if (!(error instanceof Refusal)) return { fields: [], whole: 'refused.unknown' };
  if (error.status === 401) return { fields: [], whole: 'refused.signed_out' };
  if (error.kind === 'confirmation-required') return { fields: [], whole: 'refused.confirmation' };
  if (error.kind === 'link-refused') return { fields: [], whole: 'refused.link' };
  if (error.status === 412) return { fields: [], whole: 'refused.stale' };

  const all = error.fields.map(({ field, message }) => ({ name: formPath(field), message }));
  const fields = all.filter(({ name }) => known.includes(name.split('.')[0] ?? ''));
  const rest = all.filter((entry) => !fields.includes(entry)).map(({ message }) => message);
  if (rest.length > 0) return { fields, whole: rest.join(' ') };
  if (fields.length > 0) return { fields };
  return { fields, whole: error.problem?.detail ?? 'refused.unknown' };
}

function formPath(field: string): string {
  return field
    .replace(/^\//, '')
    .replaceAll(/\[(\d+)\]/g, '.$1')
    .replaceAll('/', '.');
}
