/**
 * An import in the terms of its pages: which column fills what, and what a row would do.
 */
import type { Import, ImportPreviewColumn, ImportResult, ImportRow, ImportState } from '@tandem/api';
import type { FieldChange, Tone } from '@tandem/ui';

import { valueOf } from '../audit/model';

/** Bytes of a file: as the server says it. */
export const MOST_BYTES = 5_000_000;
export const MOST_ROWS = 20_000;
export const FILE_KINDS = ['.csv', '.txt', 'text/csv'];

export const ENCODINGS = ['utf-8', 'utf-16', 'windows-1252'] as const;
export const SEPARATORS = ['comma', 'semicolon', 'tab'] as const;
export const RESULTS = [
  'create',
  'update',
  'unchanged',
  'refused',
] as const satisfies readonly ImportResult[];
export const ROW_STATES = ['waiting', 'done', 'undone', 'kept'] as const;

/** So many numbers and addresses are offered; a file can name more by itself. */
const OFFERED_NUMBERS = 6;
const OFFERED_EMAILS = 4;

const SINGLE = ['first_name', 'last_name', 'company', 'job_title', 'in_directory', 'id'] as const;

/** A field that a column can fill: one there is once, or a part of the n-th number or address. */
export type Field =
  | { once: (typeof SINGLE)[number] }
  | { part: 'number' | 'number_label' | 'email' | 'email_label'; number: number };

/** What the server calls a field, as its parts; `undefined` for what is not known here. */
export function fieldOf(name: string): Field | undefined {
  const once = SINGLE.find((known) => known === name);
  if (once) return { once };
  const [, part, number, label] = /^(number|email)_(\d+)(_label)?$/.exec(name) ?? [];
  if (part === undefined) return undefined;
  return { part: `${part as 'number'}${label ? '_label' : ''}` as 'number', number: Number(number) };
}

function parts(part: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => [`${part}_${at + 1}`, `${part}_${at + 1}_label`]).flat();
}

/** The names of all fields that can be chosen, those that the file has beyond them included. */
export function offeredFields(recognised: readonly (string | undefined)[]): string[] {
  const known = [
    ...SINGLE.slice(0, 2),
    ...parts('email', OFFERED_EMAILS),
    ...parts('number', OFFERED_NUMBERS),
  ];
  const own = recognised.filter((field) => field !== undefined);
  return [...new Set([...known, ...SINGLE.slice(2), ...own])];
}

/** The same columns with `field` filled by the one at `at`, and by no other. */
export function withColumn(
  columns: readonly (string | undefined)[],
  at: number,
  field: string | undefined,
): (string | undefined)[] {
  return columns.map((filled, index) => {
    if (index === at) return field;
    return field !== undefined && filled === field ? undefined : filled;
  });
}

/**
 * What the columns of a file fill: what those of an earlier version of it filled, if they are still the same, else what
 * their headings say.
 */
export function columnsLike(
  earlier: Import['columns'] | undefined,
  columns: readonly Pick<ImportPreviewColumn, 'heading' | 'field'>[],
): (string | undefined)[] {
  const isSame =
    earlier?.length === columns.length &&
    columns.every(({ heading }, at) => earlier[at]?.heading === heading);
  return (isSame ? earlier : columns).map(({ field }) => field ?? undefined);
}

/** Whether the column fills a telephone number. */
export function isNumber(field: string | undefined): boolean {
  return /^number_\d+$/.test(field ?? '');
}

function tellsPerson(field: string | undefined): boolean {
  return field === 'id' || /^email_\d+$/.test(field ?? '');
}

/** What is missing: whom a row is of, without which nothing works, or the names that a new person needs. */
export function missingOf(columns: readonly (string | undefined)[]): 'person' | 'names' | undefined {
  if (!columns.some(tellsPerson)) return 'person';
  return columns.includes('first_name') && columns.includes('last_name') ? undefined : 'names';
}

/** Rows that change something. */
export function writes({ create, update }: Pick<Import, 'create' | 'update'>): number {
  return create + update;
}

/** Whether it can still be taken back. */
export function canUndo({ state, undo_until }: Pick<Import, 'state' | 'undo_until'>, now: Date): boolean {
  return state === 'committed' && !!undo_until && new Date(undo_until) > now;
}

export const STATE_TONES: Record<ImportState, Tone> = {
  reading: 'info',
  checked: 'waiting',
  committing: 'info',
  committed: 'good',
  reverting: 'info',
  stale: 'bad',
  undoing: 'info',
  undone: 'idle',
};

export const RESULT_TONES: Record<ImportResult, Tone> = {
  create: 'good',
  update: 'info',
  unchanged: 'idle',
  refused: 'bad',
};

interface Words {
  yes: string;
  no: string;
  field: (name: string) => string;
}

/** Each field that a row changes, as people read it; the names first, as on the page of a contact. */
export function changesOf({ changes }: Pick<ImportRow, 'changes'>, words: Words): FieldChange[] {
  const pairs = Object.entries(changes as Record<string, [unknown, unknown]>);
  return pairs
    .sort(([one], [other]) => place(one) - place(other))
    .map(([name, [before, after]]) => ({
      name: words.field(name),
      before: valueOf(before, words),
      after: valueOf(after, words),
    }));
}

const ORDER = ['first_name', 'last_name', 'company', 'job_title', 'emails', 'numbers', 'in_directory'];

/** What a newer server knows comes last. */
function place(name: string): number {
  return ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length;
}
