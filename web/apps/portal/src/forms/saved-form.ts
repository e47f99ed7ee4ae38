/**
 * A form that is saved to the server: react-hook-form keeps the values, zod checks them, the server has the last
 * word, and nothing typed is lost whatever it says.
 */
import { zodResolver } from '@hookform/resolvers/zod';
import { Refusal } from '@tandem/api';
import { toast } from '@tandem/ui';
import { useEffect, useRef, useState } from 'react';
import {
  useForm,
  type DefaultValues,
  type FieldErrors,
  type FieldValues,
  type Path,
  type PathValue,
  type UseFormReturn,
} from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import type { $ZodType } from 'zod/v4/core';

import { conflictsOf, same, type Conflict, type Side } from './conflict';
import { useErrorText } from './error-text';
import { useHere } from './go-on';
import { Places } from './places';
import { errorsOf, messagesOf, placed } from './refused';

/** How a field is spoken of when somebody else changed it. */
export interface FieldText<Value> {
  label: string;
  /** The value in words; as it is when absent. */
  show?: (value: Value) => string;
}

export type FieldTexts<Values> = { [Name in keyof Values]?: FieldText<Values[Name]> };

/** What is needed to notice and settle that somebody else changed the same thing. */
export interface Versioned<Values> {
  version: number;
  /** What is there now. */
  read: () => Promise<{ values: Values; version: number }>;
  /** The fields that can be compared. */
  fields: FieldTexts<Values>;
}

interface Options<Values extends FieldValues> {
  schema: $ZodType<Values, Values>;
  values: Values;
  /** Throws what the server refused. `version` is the one to be replaced, for what is versioned. */
  save: (values: Values, version: number) => Promise<unknown>;
  /** The part of the form that is sent alone, as far as it is: the server names its fields without it. */
  part?: string | undefined;
  versioned?: Versioned<Values>;
}

export interface OpenConflict<Values> {
  conflicts: Conflict<Values>[];
  fields: FieldTexts<Values>;
  settle: (sides: Record<string, Side>) => void;
  close: () => void;
}

export interface SavedForm<Values extends FieldValues> {
  form: UseFormReturn<Values>;
  submit: () => void;
  conflict: OpenConflict<Values> | undefined;
  /** Where errors are shown. */
  places: Places;
}

/** A form that puts every refusal beside the field it is about. */
export function useSavedForm<Values extends FieldValues>(options: Options<Values>): SavedForm<Values> {
  const { schema, values, save, part, versioned } = options;
  const form = useForm<Values>({
    resolver: zodResolver(schema),
    defaultValues: values as DefaultValues<Values>,
    // Errors that appear on leaving a field would move the button away from under the pointer.
    mode: 'onSubmit',
  });
  const base = useRef({ values, version: versioned?.version ?? 0 });
  const { t } = useTranslation();
  const errorText = useErrorText();
  const here = useHere();
  const [places] = useState(() => new Places());
  const [conflict, setConflict] = useState<OpenConflict<Values>>();
  const { isDirty } = form.formState;
  const version = versioned?.version;
  // What was read anew, after saving or because somebody else saved, is shown at once, but never over something that
  // is being typed: that is compared when it is saved.
  useEffect(() => {
    if (version === undefined || version === base.current.version || isDirty) return;
    base.current = { values, version };
    form.reset(values as DefaultValues<Values>);
  }, [version, isDirty, values, form]);

  function refuse(error: unknown) {
    const before = at('');
    const known = places.names().filter((name) => name.startsWith(before));
    const { fields, whole } = messagesOf(
      error,
      known.map((name) => name.slice(before.length)),
    );
    fields.forEach(({ name, message }, index) =>
      form.setError(at(name) as Path<Values>, { message }, { shouldFocus: index === 0 }),
    );
    if (whole) form.setError('root.refused', { message: whole });
  }

  function at(name: string): string {
    return part === undefined ? name : `${part}.${name}`;
  }

  /** Whoever has left the page hears of it nevertheless. */
  function tell(error: unknown) {
    const isStale = error instanceof Refusal && error.status === 412;
    const why = isStale ? t('conflict.title') : errorText(messagesOf(error, []).whole);
    toast.danger(t('refused.left', { why }));
  }

  async function send(mine: Values, versions: Versioned<Values> | undefined): Promise<void> {
    const sent = structuredClone(form.getValues());
    try {
      await save(mine, base.current.version);
      settleOn(mine, sent);
    } catch (error) {
      if (!versions || !here() || !(error instanceof Refusal && error.status === 412)) throw error;
      await compare(mine, versions);
    }
  }

  /** What was sent is what is saved; what was typed since stays, and is not saved. */
  function settleOn(mine: Values, sent: Values) {
    const now = form.getValues();
    form.reset(mine, { keepValues: true });
    for (const name of Object.keys(now) as (Path<Values> & keyof Values)[]) {
      if (same(now[name], sent[name])) continue;
      form.setValue(name, now[name] as PathValue<Values, Path<Values>>, { shouldDirty: true });
    }
  }

  /** Asks about what the other person changed; when that touches nothing here, saves on top of it. */
  async function compare(mine: Values, versions: Versioned<Values>) {
    const now = await versions.read();
    const names = Object.keys(versions.fields) as (keyof Values & string)[];
    const conflicts = conflictsOf(names, { base: base.current.values, mine, theirs: now.values });
    if (conflicts.length === 0) {
      base.current = now;
      return send(mine, undefined);
    }
    setConflict({
      conflicts,
      fields: versions.fields,
      // Nothing was decided: the next attempt is compared with the same beginning.
      close: () => setConflict(undefined),
      settle: (sides) => {
        base.current = now;
        for (const { name, theirs } of conflicts) {
          if (sides[name] !== 'theirs') continue;
          form.setValue(name as Path<Values>, theirs as PathValue<Values, Path<Values>>, {
            shouldDirty: true,
          });
        }
        setConflict(undefined);
        submit();
      },
    });
    form.setError('root.refused', { message: 'refused.stale' });
  }

  /** A check of a field that is not shown at the moment would stop the form without a word. */
  function findLost(errors: FieldErrors<Values>) {
    const { whole } = placed(errorsOf(errors), places.names());
    if (whole) form.setError('root.refused', { message: whole });
  }

  function submit() {
    void form.handleSubmit(async (checked) => {
      try {
        await send(checked, versioned);
      } catch (error) {
        if (here()) refuse(error);
        else tell(error);
      }
    }, findLost)();
  }
  return { form, submit, conflict, places };
}
