/**
 * A contact that is changed, with the devices of the person.
 */
import { useNewest, useUpdate, type Contact } from '@tandem/api';
import { ButtonLink, Fact, Facts, Link, PageHead, Section, toast } from '@tandem/ui';
import { getRouteApi } from '@tanstack/react-router';
import { Plus, Smartphone } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { Form } from '../forms/form';
import { useGoOn } from '../forms/go-on';
import { useSavedForm } from '../forms/saved-form';
import { Item } from '../pages/item';
import { Remove } from '../pages/remove';
import { useTenant } from '../tenant';
import { CallerIds, CopyContact } from './caller-ids';
import { ContactFields } from './fields';
import { contactSchema, formOf, inputOf, nameOf, readable } from './model';

const route = getRouteApi('/t/$slug/shell/contacts/$id');

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
  const goOn = useGoOn();
  const update = useUpdate({ tenant: tenant.id, name: 'contacts' });
  const read = useNewest({ tenant: tenant.id, name: 'contacts' }, contact.id);
  const labelText = (label: string) => t(`contacts.label.${label as 'work'}`, { defaultValue: label });
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
          show: (emails) => emails.map(({ address, label }) => `${address} (${labelText(label)})`).join(', '),
        },
        numbers: {
          label: t('contacts.numbers'),
          show: (numbers) =>
            numbers
              .map(({ number, label }) => (label === '' ? number : `${number} (${labelText(label)})`))
              .join(', '),
        },
        in_directory: { label: t('contacts.in_directory'), show: (on) => t(on ? 'yes' : 'no') },
      },
    },
    save: async (values, version) => {
      await update.mutateAsync({ id: contact.id, version, input: inputOf(values) });
      toast.success(t('saved', { name: nameOf(values) }));
      goOn(path('/contacts'));
    },
  });
  const numbers = contact.extensions?.join(', ');
  const extension = numbers && t('contacts.extension_is', { numbers });
  const users = contact.devices.map(({ id, name }) => ({ href: path(`/devices/${id}`), name }));
  return (
    <>
      <PageHead
        title={nameOf(contact)}
        lead={[extension, contact.job_title, contact.company].filter(Boolean).join(' · ')}
        up={{ href: path('/contacts'), label: t('contacts.title') }}
        actions={
          <>
            <CopyContact contact={contact} />
            {mayChange && <Remove name="contacts" id={contact.id} title={nameOf(contact)} />}
          </>
        }
      />
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        {mayChange ? (
          <div className="card p-5 sm:p-6">
            <Form {...form} action={t('save')} cancel={path('/contacts')}>
              <ContactFields />
            </Form>
          </div>
        ) : (
          <ContactFacts contact={contact} />
        )}
        <div className="flex flex-col gap-6">
          <Section
            title={t('devices.title')}
            action={
              mayChange && (
                <ButtonLink href={path(`/contacts/${contact.id}/phone`)} variant="secondary">
                  <Plus aria-hidden />
                  {t('equip.set_up')}
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
          <CallerIds contact={contact} />
        </div>
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
