/**
 * A device: new, or changed.
 */
import {
  findRows,
  itemQuery,
  useCount,
  useCreate,
  useNewest,
  useUpdate,
  type Account,
  type Device,
} from '@tandem/api';
import { Link, Notice, OrderedList, PageHead, SearchChoice, toast, type Choice } from '@tandem/ui';
import { useQueries, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';

import { Form, TextField, useField } from '../forms/form';
import { useGoOn } from '../forms/go-on';
import { useSavedForm, type SavedForm } from '../forms/saved-form';
import { nameOf } from '../contacts/model';
import { Item } from '../pages/item';
import { useTenant } from '../tenant';
import { contactChoice, useContactSearch } from './contact-choice';
import { deviceSchema, formOf, inputOf, MOST_ACCOUNTS, newDevice, type DeviceForm } from './model';
import { MoveChanges } from './move';

const newRoute = getRouteApi('/t/$slug/shell/devices/new');
const editRoute = getRouteApi('/t/$slug/shell/devices/$id/edit');

export function NewDevicePage() {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const goOn = useGoOn();
  const { contact } = newRoute.useSearch();
  const create = useCreate({ tenant: tenant.id, name: 'devices' });
  const form = useSavedForm({
    schema: deviceSchema,
    values: newDevice(contact ?? ''),
    save: async (values) => {
      const device = await create.mutateAsync(inputOf(values));
      toast.success(t('devices.created', { name: values.name }));
      goOn(path(`/devices/${device.id}`));
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
  const goOn = useGoOn();
  const update = useUpdate({ tenant: tenant.id, name: 'devices' });
  const queries = useQueryClient();
  const read = useNewest({ tenant: tenant.id, name: 'devices' }, device.id);
  const back = path(`/devices/${device.id}`);
  const form = useSavedForm({
    schema: deviceSchema,
    values: formOf(device),
    versioned: {
      version: device.version,
      read: async () => {
        const now = await read();
        // What the comparison names has to be known by name.
        await Promise.all([
          queries.ensureQueryData(itemQuery({ tenant: tenant.id, name: 'contacts' }, now.contact.id)),
          ...now.accounts.map(({ id }) =>
            queries.ensureQueryData(itemQuery({ tenant: tenant.id, name: 'accounts' }, id)),
          ),
        ]);
        return { values: formOf(now), version: now.version };
      },
      fields: {
        name: { label: t('devices.name') },
        contact_id: {
          label: t('devices.contact'),
          show: (id) => {
            const contact = queries.getQueryData(
              itemQuery({ tenant: tenant.id, name: 'contacts' }, id).queryKey,
            );
            return contact ? nameOf(contact) : id;
          },
        },
        account_ids: {
          label: t('devices.lines'),
          show: (ids) =>
            ids
              .map((id) => {
                const place = { tenant: tenant.id, name: 'accounts' } as const;
                return queries.getQueryData(itemQuery(place, id).queryKey)?.name ?? id;
              })
              .join(', '),
        },
      },
    },
    save: async (values, version) => {
      await update.mutateAsync({ id: device.id, version, input: inputOf(values) });
      toast.success(t('saved', { name: values.name }));
      goOn(back);
    },
  });
  return (
    <>
      <PageHead
        title={t('devices.edit')}
        lead={t('devices.edit_lead')}
        up={{ href: back, label: device.name }}
      />
      <DeviceFields form={form} device={device} action={t('save')} cancel={back} />
    </>
  );
}

interface DeviceFieldsProps {
  form: SavedForm<DeviceForm>;
  /** As it is; absent: it is new. */
  device?: Device;
  action: string;
  cancel: string;
}

function DeviceFields({ form, device, action, cancel }: DeviceFieldsProps) {
  const { t } = useTranslation();
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
        <ContactChoice device={device} />
        <Lines />
      </Form>
    </div>
  );
}

const MOST_FOUND = 20;

const accountChoice = ({ id, name, aor }: Account): Choice => ({ id, label: name, detail: aor });

function ContactChoice({ device }: { device: Device | undefined }) {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const { value, onChange, error, attach } = useField('contact_id');
  const place = { tenant: tenant.id, name: 'contacts' } as const;
  const known = useNamed(place, value === '' ? [] : [value as string]).get(value as string);
  const search = useContactSearch(tenant.id);
  const count = useCount(place).data;
  if (count?.count === 0) {
    return (
      <Notice tone="info">
        {t('devices.no_contacts')}{' '}
        <Link className="link" href={path('/contacts/new?phone=on')}>
          {t('contacts.new')}
        </Link>
      </Notice>
    );
  }
  return (
    <div className="flex flex-col gap-3">
      <SearchChoice
        label={t('devices.contact')}
        description={t('devices.contact_help')}
        value={known && contactChoice(known)}
        onChange={(choice) => onChange(choice?.id ?? '')}
        search={search}
        error={error}
        inputRef={attach}
      />
      {device && known && known.id !== device.contact.id && (
        <MoveChanges device={device} to={contactChoice(known)} />
      )}
    </div>
  );
}

/** Up to four accounts in the order of the lines. At four there is nothing more to add. */
function Lines() {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const { value, onChange, error, attach } = useField('account_ids');
  const chosen = value as string[];
  const place = { tenant: tenant.id, name: 'accounts' } as const;
  const accounts = useNamed(place, chosen);
  const search = useCallback(
    async (text: string) => {
      const found = await findRows({ tenant: tenant.id, name: 'accounts' }, text, MOST_FOUND);
      return found.filter(({ id }) => !chosen.includes(id)).map(accountChoice);
    },
    [tenant.id, chosen],
  );
  const count = useCount(place).data;
  const isOffered = chosen.length < MOST_ACCOUNTS && count?.count !== 0;
  return (
    <fieldset>
      <legend className="text-sm font-medium">{t('devices.lines')}</legend>
      <p className="mb-3 text-muted">{t('devices.lines_help', { most: MOST_ACCOUNTS })}</p>
      {count?.count === 0 && (
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
              const account = accounts.get(id);
              const name = account?.name ?? '…';
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
        {!isOffered && error && (
          <p role="alert" className="text-xs text-danger">
            {error}
          </p>
        )}
        {isOffered && (
          <SearchChoice
            key={chosen.length}
            label={t(chosen.length === 0 ? 'devices.first_line' : 'devices.next_line')}
            value={undefined}
            onChange={(choice) => choice && onChange([...chosen, choice.id])}
            search={search}
            optional={chosen.length > 0}
            error={error}
            inputRef={attach}
          />
        )}
      </div>
    </fieldset>
  );
}

/** The things with these identifiers, as far as they are read. */
function useNamed<Name extends 'contacts' | 'accounts'>(
  place: { tenant: string; name: Name },
  ids: string[],
) {
  const read = useQueries({ queries: ids.map((id) => itemQuery(place, id)) });
  return new Map(ids.map((id, index) => [id, read[index]?.data]));
}
