/**
 * A phone for somebody who is there already: account and device in one go, ready to be activated.
 */
import { useChoices, useEquip, type Contact, type Provider } from '@tandem/api';
import { PageHead, toast } from '@tandem/ui';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Form } from '../forms/form';
import { useGoOn } from '../forms/go-on';
import { useSavedForm } from '../forms/saved-form';
import { AbsentAny } from '../pages/absent';
import { Item } from '../pages/item';
import { useTenant } from '../tenant';
import { equipInputOf, equipSchema, newEquip } from './equip';
import { AccountPart, DevicePart } from './equip-fields';
import { formOf, nameOf } from './model';

const route = getRouteApi('/t/$slug/shell/contacts/$id/phone');

export function PhonePage() {
  const { id } = route.useParams();
  const { tenant } = useTenant();
  const providers = useChoices({ tenant: tenant.id, name: 'providers' });
  if (!providers.data) return <AbsentAny reads={[providers]} />;
  const known = providers.data;
  return (
    <Item name="contacts" id={id}>
      {(contact) => <PhoneForm key={contact.id} contact={contact} providers={known} />}
    </Item>
  );
}

function PhoneForm({ contact, providers }: { contact: Contact; providers: Provider[] }) {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const goOn = useGoOn();
  const equip = useEquip(tenant.id);
  const [values] = useState({ ...newEquip, contact: formOf(contact) });
  const back = path(`/contacts/${contact.id}`);
  const form = useSavedForm({
    schema: equipSchema(providers),
    values,
    save: async (wanted) => {
      const deviceName = t('equip.device_of', { name: contact.first_name });
      const { account, device } = equipInputOf(wanted, providers, deviceName);
      const made = await equip.mutateAsync({ contact_id: contact.id, account, device });
      toast.success(t('equip.done', { name: nameOf(contact) }));
      goOn(path(`/devices/${made.device.id}`));
    },
  });
  return (
    <>
      <PageHead
        title={t('equip.for', { name: nameOf(contact) })}
        lead={t('equip.for_lead')}
        up={{ href: back, label: nameOf(contact) }}
      />
      <div className="max-w-3xl">
        <Form {...form} action={t('equip.set_up')} cancel={back}>
          <AccountPart providers={providers} />
          <DevicePart />
        </Form>
      </div>
    </>
  );
}
