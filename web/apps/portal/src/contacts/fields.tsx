/**
 * The fields of a contact, alone or as a part of a larger form.
 */
import { Button } from '@tandem/ui';
import { Plus, X } from 'lucide-react';
import { useFieldArray, useFormContext } from 'react-hook-form';
import { useTranslation } from 'react-i18next';

import { Choose } from '../forms/choose';
import { Fields, ListError, TextField, Toggle } from '../forms/form';
import { EMAIL_LABELS, NUMBER_LABELS, type ContactForm } from './model';

interface Place {
  /** What stands before the names of the fields in the form, such as `contact.`. */
  at: string;
}

export function ContactFields({ at = '' }: Partial<Place>) {
  const { t } = useTranslation();
  return (
    <>
      <Fields>
        <TextField name={`${at}first_name`} label={t('contacts.first_name')} autoComplete="off" autoFocus />
        <TextField name={`${at}last_name`} label={t('contacts.last_name')} autoComplete="off" />
        <TextField name={`${at}company`} label={t('contacts.company')} autoComplete="off" optional />
        <TextField name={`${at}job_title`} label={t('contacts.job_title')} autoComplete="off" optional />
      </Fields>
      <Emails at={at} />
      <Numbers at={at} />
      <Toggle
        name={`${at}in_directory`}
        label={t('contacts.in_directory')}
        description={t('contacts.in_directory_help')}
      />
    </>
  );
}

function Emails({ at }: Place) {
  const { t } = useTranslation();
  const { control } = useFormContext<ContactForm>();
  // In a larger form the list stands below another name; its shape is the same.
  const { fields, append, remove } = useFieldArray({ control, name: `${at}emails` as 'emails' });
  const choices = EMAIL_LABELS.map((id) => ({ id, label: t(`contacts.label.${id}`) }));
  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="mb-1 text-sm font-semibold">{t('contacts.emails')}</legend>
      <p className="text-muted">{t('contacts.emails_help')}</p>
      {fields.map(({ id }, index) => (
        <div
          key={id}
          className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-2 sm:grid-cols-[minmax(0,1fr)_7.5rem_auto]"
        >
          <div className="max-sm:col-span-2">
            <TextField
              name={`${at}emails.${index}.address`}
              label={t('contacts.email')}
              type="email"
              autoComplete="off"
              technical
            />
          </div>
          <Choose name={`${at}emails.${index}.label`} label={t('contacts.label_title')} choices={choices} />
          {fields.length > 1 && (
            <Drop label={t('contacts.remove_email', { number: index + 1 })} onPress={() => remove(index)} />
          )}
        </div>
      ))}
      <ListError name={`${at}emails`} />
      <Button
        size="sm"
        variant="secondary"
        className="w-fit"
        onPress={() => append({ address: '', label: 'work' })}
      >
        <Plus aria-hidden />
        {t('contacts.add_email')}
      </Button>
    </fieldset>
  );
}

function Numbers({ at }: Place) {
  const { t } = useTranslation();
  const { control } = useFormContext<ContactForm>();
  const { fields, append, remove } = useFieldArray({ control, name: `${at}numbers` as 'numbers' });
  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="mb-1 text-sm font-semibold">{t('contacts.numbers')}</legend>
      <p className="text-muted">{t('contacts.numbers_help')}</p>
      {fields.map(({ id, label }, index) => {
        // A label of someone else's making stays among the choices.
        const labels = [...new Set<string>([...NUMBER_LABELS, label].filter(Boolean))];
        return (
          <div
            key={id}
            className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-2 sm:grid-cols-[minmax(0,1fr)_7.5rem_auto]"
          >
            <div className="max-sm:col-span-2">
              <TextField
                name={`${at}numbers.${index}.number`}
                label={t('contacts.number')}
                type="tel"
                placeholder="+49 30 1234567"
                autoComplete="off"
              />
            </div>
            <Choose
              name={`${at}numbers.${index}.label`}
              label={t('contacts.label_title')}
              choices={labels.map((known) => ({
                id: known,
                label: t(`contacts.label.${known as 'work'}`, { defaultValue: known }),
              }))}
            />
            <Drop label={t('contacts.remove_number', { number: index + 1 })} onPress={() => remove(index)} />
          </div>
        );
      })}
      <ListError name={`${at}numbers`} />
      <Button
        size="sm"
        variant="secondary"
        className="w-fit"
        onPress={() => append({ number: '', label: 'work' })}
      >
        <Plus aria-hidden />
        {t('contacts.add_number')}
      </Button>
    </fieldset>
  );
}

interface DropProps {
  label: string;
  onPress: () => void;
}

function Drop({ label, onPress }: DropProps) {
  return (
    <Button isIconOnly variant="ghost" className="mt-6.5" aria-label={label} onPress={onPress}>
      <X aria-hidden />
    </Button>
  );
}
