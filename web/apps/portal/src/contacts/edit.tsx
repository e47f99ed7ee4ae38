/**
 * A contact: new, or changed, with the devices of the person.
 */
import { useCreate, useNewest, useUpdate, type Contact } from '@tandem/api';
import { Button, ButtonLink, Fact, Facts, Link, PageHead, Section, toast } from '@tandem/ui';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { Plus, Smartphone, X } from 'lucide-react';
import { useFieldArray, useFormContext } from 'react-hook-form';
import { useTranslation } from 'react-i18next';

import { Choose } from '../forms/choose';
import { Fields, Form, TextField, Toggle } from '../forms/form';
import { useSavedForm, type SavedForm } from '../forms/saved-form';
import { Item } from '../pages/item';
import { Remove } from '../pages/remove';
import { useTenant } from '../tenant';
import {
  contactSchema,
  EMAIL_LABELS,
  formOf,
  inputOf,
  nameOf,
  newContact,
  NUMBER_LABELS,
  readable,
  type ContactForm,
} from './model';

const route = getRouteApi('/t/$slug/shell/contacts/$id');

export function NewContactPage() {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const router = useRouter();
  const create = useCreate({ tenant: tenant.id, name: 'contacts' });
  const form = useSavedForm({
    schema: contactSchema,
    values: newContact,
    save: async (values) => {
      const contact = await create.mutateAsync(inputOf(values));
      toast.success(t('saved', { name: nameOf(values) }));
      router.history.push(path(`/contacts/${contact.id}`));
    },
  });
  return (
    <>
      <PageHead
        title={t('contacts.new')}
        lead={t('contacts.new_lead')}
        up={{ href: path('/contacts'), label: t('contacts.title') }}
      />
      <div className="card max-w-3xl p-5 sm:p-6">
        <ContactFields form={form} action={t('create')} />
      </div>
    </>
  );
}

export function ContactPage() {
  const { id } = route.useParams();
  return (
    <Item name="contacts" id={id}>
      {(contact) => <EditContact key={contact.id} contact={contact} />}
    </Item>
  );
}

function EditContact({ contact }: { contact: Contact }) {
  const { t } = useTranslation();
  const { tenant, path, mayChange } = useTenant();
  const router = useRouter();
  const update = useUpdate({ tenant: tenant.id, name: 'contacts' });
  const read = useNewest({ tenant: tenant.id, name: 'contacts' }, contact.id);
  const form = useSavedForm({
    schema: contactSchema,
    values: formOf(contact),
    versioned: {
      version: contact.version,
      read: async () => {
        const now = await read();
        return { values: formOf(now), version: now.version };
      },
      fields: {
        first_name: { label: t('contacts.first_name') },
        last_name: { label: t('contacts.last_name') },
        company: { label: t('contacts.company') },
        job_title: { label: t('contacts.job_title') },
        emails: {
          label: t('contacts.emails'),
          show: (emails) => emails.map(({ address }) => address).join(', '),
        },
        numbers: {
          label: t('contacts.numbers'),
          show: (numbers) => numbers.map(({ number }) => number).join(', '),
        },
        in_directory: { label: t('contacts.in_directory'), show: (on) => t(on ? 'yes' : 'no') },
      },
    },
    save: async (values, version) => {
      await update.mutateAsync({ id: contact.id, version, input: inputOf(values) });
      toast.success(t('saved', { name: nameOf(values) }));
      router.history.push(path('/contacts'));
    },
  });
  const users = contact.devices.map(({ id, name }) => ({ href: path(`/devices/${id}`), name }));
  return (
    <>
      <PageHead
        title={nameOf(contact)}
        lead={[contact.job_title, contact.company].filter(Boolean).join(', ')}
        up={{ href: path('/contacts'), label: t('contacts.title') }}
        actions={
          mayChange && <Remove name="contacts" id={contact.id} title={nameOf(contact)} users={users} />
        }
      />
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        {mayChange ? (
          <div className="card p-5 sm:p-6">
            <ContactFields form={form} action={t('save')} />
          </div>
        ) : (
          <ContactFacts contact={contact} />
        )}
        <Section
          title={t('devices.title')}
          action={
            mayChange && (
              <ButtonLink href={path(`/devices/new?contact=${contact.id}`)} variant="secondary">
                <Plus aria-hidden />
                {t('contacts.add_device')}
              </ButtonLink>
            )
          }
        >
          {contact.devices.length === 0 ? (
            <p className="text-muted">{t('contacts.no_devices')}</p>
          ) : (
            <ul className="flex flex-col gap-2">
              {users.map(({ href, name }) => (
                <li key={href}>
                  <Link href={href} className="link inline-flex items-center gap-2">
                    <Smartphone className="size-4 text-muted" aria-hidden />
                    {name}
                  </Link>
                </li>
              ))}
            </ul>
          )}
        </Section>
      </div>
    </>
  );
}

function ContactFacts({ contact }: { contact: Contact }) {
  const { t } = useTranslation();
  return (
    <Section title={t('contacts.details')}>
      <Facts>
        <Fact name={t('contacts.emails')}>{contact.emails.map(({ address }) => address).join(', ')}</Fact>
        <Fact name={t('contacts.numbers')}>
          {contact.numbers.map(({ number }) => readable(number)).join(', ')}
        </Fact>
      </Facts>
    </Section>
  );
}

interface ContactFieldsProps {
  form: SavedForm<ContactForm>;
  action: string;
}

function ContactFields({ form, action }: ContactFieldsProps) {
  const { t } = useTranslation();
  const { path } = useTenant();
  return (
    <Form {...form} action={action} cancel={path('/contacts')}>
      <Fields>
        <TextField name="first_name" label={t('contacts.first_name')} autoComplete="off" autoFocus />
        <TextField name="last_name" label={t('contacts.last_name')} autoComplete="off" />
        <TextField name="company" label={t('contacts.company')} autoComplete="off" optional />
        <TextField name="job_title" label={t('contacts.job_title')} autoComplete="off" optional />
      </Fields>
      <Emails />
      <Numbers />
      <Toggle
        name="in_directory"
        label={t('contacts.in_directory')}
        description={t('contacts.in_directory_help')}
      />
    </Form>
  );
}

function Emails() {
  const { t } = useTranslation();
  const { control } = useFormContext<ContactForm>();
  const { fields, append, remove } = useFieldArray({ control, name: 'emails' });
  const choices = EMAIL_LABELS.map((id) => ({ id, label: t(`contacts.label.${id}`) }));
  return (
    <fieldset className="flex flex-col gap-3">
      <legend className="mb-3 text-sm font-semibold">{t('contacts.emails')}</legend>
      {fields.map(({ id }, index) => (
        <div
          key={id}
          className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-2 sm:grid-cols-[minmax(0,1fr)_7.5rem_auto]"
        >
          <div className="max-sm:col-span-2">
            <TextField
              name={`emails.${index}.address`}
              label={t('contacts.email')}
              type="email"
              autoComplete="off"
              technical
            />
          </div>
          <Choose name={`emails.${index}.label`} label={t('contacts.label_title')} choices={choices} />
          <Drop
            label={t('contacts.remove_email', { number: index + 1 })}
            disabled={fields.length === 1}
            onPress={() => remove(index)}
          />
        </div>
      ))}
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

function Numbers() {
  const { t } = useTranslation();
  const { control } = useFormContext<ContactForm>();
  const { fields, append, remove } = useFieldArray({ control, name: 'numbers' });
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
                name={`numbers.${index}.number`}
                label={t('contacts.number')}
                type="tel"
                placeholder="+49 30 1234567"
                autoComplete="off"
              />
            </div>
            <Choose
              name={`numbers.${index}.label`}
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
  disabled?: boolean;
  onPress: () => void;
}

function Drop({ label, disabled, onPress }: DropProps) {
  return (
    <Button
      isIconOnly
      variant="ghost"
      className="mt-6.5"
      aria-label={label}
      isDisabled={disabled ?? false}
      onPress={onPress}
    >
      <X aria-hidden />
    </Button>
  );
}
