/**
 * The dialing rules of an account, in order, with a field to try them out.
 */
import { Button, TextInput } from '@tandem/ui';
import { ArrowDown, ArrowUp, Plus, X } from 'lucide-react';
import { useState } from 'react';
import { useFieldArray, useFormContext } from 'react-hook-form';
import { useTranslation } from 'react-i18next';

import { ListError, TextField } from '../forms/form';
import { dialed, newRule, ruleOf, withoutSeparators } from './dialing';
import type { AccountForm } from './model';

const MOST_RULES = 50;

export function DialingRules() {
  const { t } = useTranslation();
  const { control } = useFormContext<AccountForm>();
  const { fields, append, remove, move } = useFieldArray({ control, name: 'dialing_rules' });
  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="text-sm font-medium">{t('accounts.dialing.title')}</legend>
      <p className="-mt-2 text-xs text-muted">{t('accounts.dialing.help')}</p>
      {fields.length > 0 && (
        <ol aria-label={t('accounts.dialing.title')} className="flex flex-col gap-3">
          {fields.map(({ id }, index) => (
            <li key={id} className="flex flex-wrap items-start gap-2 sm:flex-nowrap">
              <div className="grid min-w-0 flex-1 grid-cols-2 gap-2 sm:grid-cols-3">
                <TextField
                  name={`dialing_rules.${index}.starts_with`}
                  label={t('accounts.dialing.starts_with')}
                  type="tel"
                  autoComplete="off"
                  placeholder={t('accounts.dialing.any')}
                  technical
                />
                <TextField
                  name={`dialing_rules.${index}.replace_with`}
                  label={t('accounts.dialing.replace_with')}
                  type="tel"
                  autoComplete="off"
                  placeholder={t('accounts.dialing.nothing')}
                  technical
                />
                <TextField
                  name={`dialing_rules.${index}.minimum_length`}
                  label={t('accounts.dialing.minimum_length')}
                  inputMode="numeric"
                  autoComplete="off"
                  placeholder="0"
                  optional
                />
              </div>
              <div className="flex sm:mt-6.5">
                <Move
                  label={t('accounts.dialing.up', { number: index + 1 })}
                  disabled={index === 0}
                  onPress={() => move(index, index - 1)}
                >
                  <ArrowUp aria-hidden />
                </Move>
                <Move
                  label={t('accounts.dialing.down', { number: index + 1 })}
                  disabled={index === fields.length - 1}
                  onPress={() => move(index, index + 1)}
                >
                  <ArrowDown aria-hidden />
                </Move>
                <Move
                  label={t('accounts.dialing.remove', { number: index + 1 })}
                  onPress={() => remove(index)}
                >
                  <X aria-hidden />
                </Move>
              </div>
            </li>
          ))}
        </ol>
      )}
      <ListError name="dialing_rules" />
      <Button
        size="sm"
        variant="secondary"
        className="w-fit"
        isDisabled={fields.length >= MOST_RULES}
        onPress={() => append(newRule)}
      >
        <Plus aria-hidden />
        {t('accounts.dialing.add')}
      </Button>
      {fields.length > 0 && <Trial />}
    </fieldset>
  );
}

interface MoveProps {
  label: string;
  disabled?: boolean;
  onPress: () => void;
  children: React.ReactNode;
}

function Move({ label, disabled, onPress, children }: MoveProps) {
  return (
    <Button isIconOnly variant="ghost" aria-label={label} isDisabled={disabled ?? false} onPress={onPress}>
      {children}
    </Button>
  );
}

/** A number as somebody would dial it, and what is called. */
function Trial() {
  const { t } = useTranslation();
  const { watch } = useFormContext<AccountForm>();
  const [text, setText] = useState('');
  const number = withoutSeparators(text);
  const { number: called, rule } = dialed(number, watch('dialing_rules').map(ruleOf));
  return (
    <div className="rounded-lg border border-border p-4">
      <div className="grid items-end gap-x-5 gap-y-3 sm:grid-cols-2">
        <TextInput
          label={t('accounts.dialing.try')}
          type="tel"
          autoComplete="off"
          placeholder="0174448746"
          value={text}
          onChange={setText}
          optional
        />
        <p role="status" className="min-h-10 text-sm">
          {number !== '' && (
            <>
              <span className="block text-xs text-muted">
                {rule === undefined
                  ? t('accounts.dialing.no_rule')
                  : t('accounts.dialing.by_rule', { number: rule + 1 })}
              </span>
              <span className="verbatim">{called}</span>
            </>
          )}
        </p>
      </div>
    </div>
  );
}
