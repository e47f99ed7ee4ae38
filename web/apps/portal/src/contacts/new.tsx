/**
 * A new contact, and if wanted a phone in the same go: contact, account, device, ready to be activated.
 */
import { useChoices, useCreate, useEquip, type Provider } from '@tandem/api';
import { PageHead, Section, SwitchField, toast } from '@tandem/ui';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Form } from '../forms/form';
import { useGoOn } from '../forms/go-on';
import { useSavedForm } from '../forms/saved-form';
import { AbsentAny } from '../pages/absent';
import { useTenant } from '../tenant';
import { contactOnly, equipInputOf, equipSchema, keepSwitch, keptSwitch, newEquip } from './equip';
import { AccountPart, DevicePart } from './equip-fields';
import { ContactFields } from './fields';
import { inputOf, nameOf } from './model';

const route = getRouteApi('/t/$slug/shell/contacts/new');

const NO_PROVIDERS: Provider[] = [];

export function NewContactPage() {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const goOn = useGoOn();
  const asked = route.useSearch().phone === 'on';
  const [phone, setPhone] = useState(asked || keptSwitch());
  const read = useChoices({ tenant: tenant.id, name: 'providers' });
  const providers = read.data ?? NO_PROVIDERS;
  const create = useCreate({ tenant: tenant.id, name: 'contacts' });
  const equip = useEquip(tenant.id);
  const form = useSavedForm({
    schema: phone ? equipSchema(providers) : contactOnly,
    values: newEquip,
    part: phone ? undefined : 'contact',
    save: async (values) => {
      keepSwitch(phone);
      const name = nameOf(values.contact);
      if (phone) {
        const deviceName = t('equip.device_of', { name: values.contact.first_name });
        const { device } = await equip.mutateAsync(equipInputOf(values, providers, deviceName));
        toast.success(t('equip.done', { name }));
        goOn(path(`/devices/${device.id}`));
      } else {
        const contact = await create.mutateAsync(inputOf(values.contact));
        toast.success(t('saved', { name }));
        goOn(path(`/contacts/${contact.id}`));
      }
    },
  });
  return (
    <>
      <PageHead
        title={t('contacts.new')}
        lead={t(phone ? 'equip.lead' : 'contacts.new_lead')}
        up={{ href: path('/contacts'), label: t('contacts.title') }}
      />
      <div className="max-w-3xl">
        <Form {...form} action={t(phone ? 'equip.action' : 'create')} cancel={path('/contacts')}>
          <div className="card px-5 py-4 sm:px-6">
            <SwitchField
              label={t('equip.switch')}
              description={t('equip.switch_help')}
              value={phone}
              onChange={setPhone}
            />
          </div>
          <Section title={t('equip.person')}>
            <div className="flex flex-col gap-6">
              <ContactFields at="contact." />
            </div>
          </Section>
          {phone && (read.data ? <AccountPart providers={read.data} /> : <AbsentAny reads={[read]} />)}
          {phone && <DevicePart />}
        </Form>
      </div>
    </>
  );
}
