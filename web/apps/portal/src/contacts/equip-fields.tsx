/**
 * Account and device of a person who gets a phone.
 */
import { findRows, nextUsernameQuery, useCount, type Provider } from '@tandem/api';
import { RadioField, SearchChoice, Section, type Choice } from '@tandem/ui';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import { useFormContext } from 'react-hook-form';
import { useTranslation } from 'react-i18next';

import { Choose } from '../forms/choose';
import { Fields, PasswordField, TextField, Toggle, useField } from '../forms/form';
import { useTenant } from '../tenant';
import { isOwn, type EquipForm } from './equip';

const MOST_FOUND = 20;

/** Accounts that no device has. */
const UNUSED = { status: 'not_in_use' };

export function AccountPart({ providers }: { providers: Provider[] }) {
  const { t } = useTranslation();
  const source = useField('account.source');
  const hasUnused = useUnused();
  return (
    <Section title={t('equip.account')} lead={t('equip.account_lead')}>
      <div className="flex flex-col gap-6">
        {hasUnused && (
          <RadioField
            label={t('equip.source')}
            value={source.value as string}
            onChange={source.onChange}
            choices={[
              { id: 'new', label: t('equip.source_new'), detail: t('equip.source_new_help') },
              { id: 'existing', label: t('equip.source_existing'), detail: t('equip.source_existing_help') },
            ]}
          />
        )}
        {source.value === 'existing' ? <ExistingAccount /> : <NewAccount providers={providers} />}
      </div>
    </Section>
  );
}

/** Whether there is an account that no device has. */
function useUnused(): boolean {
  const { tenant } = useTenant();
  const unused = useCount({ tenant: tenant.id, name: 'accounts' }, UNUSED).data;
  return unused !== undefined && unused.count > 0;
}

function ExistingAccount() {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const { onChange, error, attach } = useField('account.existing');
  const [chosen, setChosen] = useState<Choice>();
  const search = useCallback(
    async (text: string): Promise<Choice[]> => {
      const place = { tenant: tenant.id, name: 'accounts' } as const;
      const found = await findRows(place, text, MOST_FOUND, UNUSED);
      return found.map(({ id, name, aor }) => ({ id, label: name, detail: aor }));
    },
    [tenant.id],
  );
  return (
    <SearchChoice
      label={t('equip.existing')}
      value={chosen}
      onChange={(choice) => {
        setChosen(choice);
        onChange(choice?.id ?? '');
      }}
      search={search}
      error={error}
      inputRef={attach}
    />
  );
}

function NewAccount({ providers }: { providers: Provider[] }) {
  const { t } = useTranslation();
  const { watch, setValue } = useFormContext<EquipForm>();
  const chosen = watch('account.new.provider_id');
  const onDevice = watch('account.new.enter_on_device');
  const own = isOwn(providers, chosen);
  useNextUsername(chosen, own);
  const first = providers.find((provider) => provider.own) ?? providers[0];
  useEffect(() => {
    if (chosen === '' && first) setValue('account.new.provider_id', first.id);
  }, [chosen, first, setValue]);
  return (
    <>
      <Fields>
        {providers.length > 1 && (
          <Choose
            name="account.new.provider_id"
            label={t('accounts.provider')}
            choices={providers.map(({ id, name, server }) => ({ id, label: name, detail: server }))}
          />
        )}
        <TextField
          name="account.new.username"
          label={t(own ? 'equip.number' : 'accounts.username')}
          description={t(own ? 'equip.number_help' : 'accounts.username_help')}
          autoComplete="off"
          technical
        />
      </Fields>
      {!own && chosen !== '' && (
        <>
          <Toggle
            name="account.new.enter_on_device"
            label={t('accounts.enter_on_device')}
            description={t('accounts.enter_on_device_help')}
          />
          {!onDevice && (
            <PasswordField
              name="account.new.password"
              label={t('accounts.password')}
              description={t('accounts.password_help')}
              autoComplete="new-password"
            />
          )}
        </>
      )}
    </>
  );
}

/** Fills in the next free number at the own provider, unless somebody typed one. */
function useNextUsername(provider: string, own: boolean) {
  const { tenant } = useTenant();
  const { getFieldState, setValue, formState } = useFormContext<EquipForm>();
  const { isSubmitting, isSubmitted } = formState;
  const isRefused = getFieldState('account.new.username', formState).error !== undefined;
  // What was sent may have been done although no answer came: sent again it has to be the same, or it is done twice.
  const isSent = (isSubmitting || isSubmitted) && !isRefused;
  const { data } = useQuery({
    ...nextUsernameQuery(tenant.id, provider),
    enabled: own,
    refetchOnWindowFocus: false,
  });
  useEffect(() => {
    if (isSent || getFieldState('account.new.username').isDirty) return;
    // As its first value, so that a form nobody has touched is not one that would be lost.
    setValue('account.new.username', own ? (data ?? '') : '', { shouldDirty: false });
  }, [own, data, isSent, getFieldState, setValue]);
}

export function DevicePart() {
  const { t } = useTranslation();
  const { watch } = useFormContext<EquipForm>();
  const name = watch('contact.first_name').trim();
  return (
    <Section title={t('equip.device')} lead={t('equip.device_lead')}>
      <Fields>
        <TextField
          name="device.name"
          label={t('devices.name')}
          placeholder={name === '' ? t('devices.name_example') : t('equip.device_of', { name })}
          description={t('equip.device_name_help')}
          autoComplete="off"
          optional
        />
      </Fields>
    </Section>
  );
}
