/**
 * Where the messages of a refused request belong in a form.
 */
import { Refusal, Unreachable } from '@tandem/api';

/** Messages for fields of the form, and the sentence for what no field can answer for. */
export interface Messages {
  fields: { name: string; message: string }[];
  /** A finished sentence, a key below `refused` or `invalid`, or several of them in lines. */
  whole?: string;
}

/**
 * Sorts a refusal into messages for the places in `known` and one for the rest.
 *
 * A message goes to the place of its path (`numbers[1].number` on the wire, `numbers.1.number` in the form) or, where that
 * has none, to the nearest one around it. Of several for one place the first is told: the others come when it was mended.
 */
export function messagesOf(error: unknown, known: readonly string[]): Messages {
  if (error instanceof Unreachable) return { fields: [], whole: 'refused.unreachable' };
  if (!(error instanceof Refusal)) return { fields: [], whole: 'refused.unknown' };
  if (error.status === 401) return { fields: [], whole: 'refused.signed_out' };
  if (error.kind === 'confirmation-required') return { fields: [], whole: 'refused.confirmation' };
  if (error.kind === 'link-refused') return { fields: [], whole: 'refused.link' };
  if (error.status === 412) return { fields: [], whole: 'refused.stale' };

  const sorted = placed(
    error.fields.map(({ field, message }) => ({ name: formPath(field), message })),
    known,
  );
  if (sorted.fields.length > 0 || sorted.whole) return sorted;
  return { fields: [], whole: error.problem?.detail ?? 'refused.unknown' };
}

/** Sorts messages by the places in `known`; what has none is told as a whole. */
export function placed(messages: Messages['fields'], known: readonly string[]): Messages {
  const told = new Map<string, string>();
  const rest = new Set<string>();
  for (const { name, message } of messages) {
    const place = placeOf(name, known);
    if (place === undefined) rest.add(message);
    else if (!told.has(place)) told.set(place, message);
  }
  const fields = [...told].map(([name, message]) => ({ name, message }));
  return rest.size > 0 ? { fields, whole: [...rest].join('\n') } : { fields };
}

/** The errors that react-hook-form keeps as a tree, each with its path. */
export function errorsOf(tree: object, path: readonly string[] = []): Messages['fields'] {
  return Object.entries(tree).flatMap(([key, error]: [string, unknown]) => {
    if (typeof error !== 'object' || error === null) return [];
    // What is wrong with a list as a whole stands beside its entries.
    const here = key === 'root' ? path : [...path, key];
    const { message } = error as { message?: unknown };
    return typeof message === 'string' ? [{ name: here.join('.'), message }] : errorsOf(error, here);
  });
}

function placeOf(path: string, known: readonly string[]): string | undefined {
  const around = known.filter((name) => path === name || path.startsWith(`${name}.`));
  return around.sort((one, other) => other.length - one.length)[0];
}

function formPath(field: string): string {
  return field
    .replace(/^\//, '')
    .replaceAll(/\[(\d+)\]/g, '.$1')
    .replaceAll('/', '.');
}
