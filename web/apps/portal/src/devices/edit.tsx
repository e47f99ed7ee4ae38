/**
 * A device: new, or changed.
 */
import {
  useChoices,
  useCreate,
  useNewest,
  useUpdate,
  type Account,
  type Contact,
  type Device,
} from '@tandem/api';
import { ChoiceField, Link, Notice, OrderedList, PageHead, Placeholder, toast } from '@tandem/ui';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { Choose } from '../forms/choose';
import { Form, TextField, useField } from '../forms/form';
import { useSavedForm, type SavedForm } from '../forms/saved-form';
import { nameOf } from '../contacts/model';
import { Item } from '../pages/item';
import { useTenant } from '../tenant';
import { deviceSchema, formOf, inputOf, MOST_ACCOUNTS, newDevice, type DeviceForm } from './model';

const newRoute = getRouteApi('/t/$slug/shell/devices/new');
const editRoute = getRouteApi('/t/$slug/shell/devices/$id/edit');

export function NewDevicePage() {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const router = useRouter();
  const { contact } = newRoute.useSearch();
  const create = useCreate({ tenant: tenant.id, name: 'devices' });
  const form = useSavedForm({
    schema: deviceSchema,
    values: newDevice(contact ?? ''),
    save: async (values) => {
      const device = await create.mutateAsync(inputOf(values));
      toast.success(t('devices.created', { name: values.name }));
      router.history.push(path(`/devices/${device.id}`));
    },
  });
  return (
    <>
      <PageHead
        title={t('devices.new')}
        lead={t('devices.new_lead')}
        up={{ href: path('/devices'), label: t('devices.title') }}
      />
      <DeviceFields form={form} action={t('create')} cancel={path('/devices')} />
    </>
  );
}

export function EditDevicePage() {
  const { id } = editRoute.useParams();
  return (
    <Item name="devices" id={id}>
      {(device) => <EditDevice key={device.id} device={device} />}
    </Item>
  );
}

function EditDevice({ device }: { device: Device }) {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const router = useRouter();
  const update = useUpdate({ tenant: tenant.id, name: 'devices' });
  const contacts = useChoices({ tenant: tenant.id, name: 'contacts' }).data;
  const accounts = useChoices({ tenant: tenant.id, name: 'accounts' }).data;
  const read = useNewest({ tenant: tenant.id, name: 'devices' }, device.id);
  const back = path(`/devices/${device.id}`);
  const form = useSavedForm({
    schema: deviceSchema,
    values: formOf(device),
    versioned: {
      version: device.version,
      read: async () => {
        const now = await read();
        return { values: formOf(now), version: now.version };
      },
      fields: {
        name: { label: t('devices.name') },
        contact_id: {
          label: t('devices.contact'),
          show: (id) => {
            const contact = contacts?.find((known) => known.id === id);
            return contact ? nameOf(contact) : id;
          },
        },
        account_ids: {
          label: t('devices.lines'),
          show: (ids) => ids.map((id) => accounts?.find((known) => known.id === id)?.name ?? id).join(', '),
        },
      },
    },
    save: async (values, version) => {
      await update.mutateAsync({ id: device.id, version, input: inputOf(values) });
      toast.success(t('saved', { name: values.name }));
      router.history.push(back);
    },
  });
  return (
    <>
      <PageHead
        title={t('devices.edit')}
        lead={t('devices.edit_lead')}
        up={{ href: back, label: device.name }}
      />
      <DeviceFields form={form} action={t('save')} cancel={back} />
    </>
  );
}

interface DeviceFieldsProps {
  form: SavedForm<DeviceForm>;
  action: string;
  cancel: string;
}

function DeviceFields({ form, action, cancel }: DeviceFieldsProps) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const contacts = useChoices({ tenant: tenant.id, name: 'contacts' }).data;
  const accounts = useChoices({ tenant: tenant.id, name: 'accounts' }).data;
  if (!contacts || !accounts) return <Placeholder />;
  return (
    <div className="card max-w-3xl p-5 sm:p-6">
      <Form {...form} action={action} cancel={cancel}>
        <TextField
          name="name"
          label={t('devices.name')}
          description={t('devices.name_help')}
          placeholder={t('devices.name_example')}
          autoComplete="off"
          autoFocus
        />
        <ContactChoice contacts={contacts} />
        <Lines accounts={accounts} />
      </Form>
    </div>
  );
}

function ContactChoice({ contacts }: { contacts: Contact[] }) {
  const { t } = useTranslation();
  const { path } = useTenant();
  if (contacts.length === 0) {
    return (
      <Notice tone="info">
        {t('devices.no_contacts')}{' '}
        <Link className="link" href={path('/contacts/new')}>
          {t('contacts.new')}
        </Link>
      </Notice>
    );
  }
  return (
    <Choose
      name="contact_id"
      label={t('devices.contact')}
      description={t('devices.contact_help')}
      choices={contacts.map((contact) => ({
        id: contact.id,
        label: nameOf(contact),
        detail: contact.emails[0]?.address,
      }))}
    />
  );
}

/** Up to four accounts in the order of the lines. At four there is nothing more to add. */
function Lines({ accounts }: { accounts: Account[] }) {
  const { t } = useTranslation();
  const { path } = useTenant();
  const { value, onChange, error, attach } = useField('account_ids');
  const chosen = value as string[];
  const free = accounts.filter(({ id }) => !chosen.includes(id));
  return (
    <fieldset>
      <legend className="text-sm font-medium">{t('devices.lines')}</legend>
      <p className="mb-3 text-muted">{t('devices.lines_help', { most: MOST_ACCOUNTS })}</p>
      {accounts.length === 0 && (
        <Notice tone="info">
          {t('devices.no_accounts')}{' '}
          <Link className="link" href={path('/accounts/new')}>
            {t('accounts.new')}
          </Link>
        </Notice>
      )}
      <div className="flex flex-col gap-3">
        {chosen.length > 0 && (
          <OrderedList
            label={t('devices.lines')}
            onChange={onChange}
            items={chosen.map((id) => {
              const account = accounts.find((known) => known.id === id);
              const name = account?.name ?? id;
              return {
                id,
                name,
                content: (
                  <>
                    <div className="truncate font-medium">{name}</div>
                    <div className="truncate text-xs text-muted">{account?.aor}</div>
                  </>
                ),
              };
            })}
          />
        )}
        {chosen.length < MOST_ACCOUNTS && free.length > 0 && (
          <ChoiceField
            label={t(chosen.length === 0 ? 'devices.first_line' : 'devices.next_line')}
            value=""
            onChange={(id) => id !== '' && onChange([...chosen, id])}
            choices={free.map(({ id, name, aor }) => ({ id, label: name, detail: aor }))}
            placeholder={t('devices.choose_account')}
            optional={chosen.length > 0}
            error={error}
            buttonRef={attach}
          />
        )}
      </div>
    </fieldset>
  );
}
