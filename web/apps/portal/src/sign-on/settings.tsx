/**
 * The provider through which people of the tenant sign in.
 */
import {
  readSignOnSettings,
  useDeleteSignOn,
  useSaveSignOn,
  useSignOnSettings,
  type SignOnSettings,
} from '@tandem/api';
import {
  Button,
  ConfirmDialog,
  CopyButton,
  Fact,
  Facts,
  Notice,
  PageHead,
  Placeholder,
  Section,
  toast,
} from '@tandem/ui';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Choose } from '../forms/choose';
import { Fields, Form, PasswordField, TextField, Toggle } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { Failed } from '../pages/absent';
import { useTenant } from '../tenant';
import { formOf, inputOf, NEW_PEOPLE, signOnSchema } from './model';
import { useReason } from './reason';
import { Trial } from './trial';

export function SignOnSettingsPage() {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const owner = tenant.role === 'owner';
  const { data, error, refetch } = useSignOnSettings(tenant.id);
  return (
    <>
      <PageHead title={t('sign_on.title')} lead={t('sign_on.lead')} />
      {!data && error && <Failed error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Placeholder />}
      {data && (
        <div className="flex max-w-3xl flex-col gap-6">
          <Addresses settings={data} />
          {owner ? (
            <Settings key={data.provider ? 'set' : 'none'} settings={data} />
          ) : (
            <Shown settings={data} />
          )}
          {owner && data.provider && <TurnOff name={data.provider.name} />}
        </div>
      )}
    </>
  );
}

/** What the provider and the people of the tenant have to know. */
function Addresses({ settings }: { settings: SignOnSettings }) {
  const { t } = useTranslation();
  return (
    <Section title={t('sign_on.addresses')}>
      <Facts>
        <Address
          name={t('sign_on.redirect_address')}
          help={t('sign_on.redirect_help')}
          address={settings.redirect_address}
        />
        {settings.provider && (
          <Address
            name={t('sign_on.sign_in_address')}
            help={t('sign_on.sign_in_help')}
            address={settings.sign_in_address}
          />
        )}
      </Facts>
    </Section>
  );
}

function Address({ name, help, address }: { name: string; help: string; address: string }) {
  return (
    <Fact name={name}>
      <div className="flex flex-wrap items-center gap-2">
        <code className="min-w-0 break-all">{address}</code>
        <CopyButton text={address} label={name} />
      </div>
      <p className="mt-1 text-xs text-muted">{help}</p>
    </Fact>
  );
}

/** For those who may not change it. */
function Shown({ settings: { provider } }: { settings: SignOnSettings }) {
  const { t } = useTranslation();
  if (!provider) return <Notice tone="info">{t('sign_on.none')}</Notice>;
  return (
    <Section title={provider.name}>
      <Facts>
        <Fact name={t('sign_on.issuer')}>
          <span className="break-all">{provider.issuer}</span>
        </Fact>
        <Fact name={t('sign_on.domains')}>{provider.domains.join(', ')}</Fact>
        <Fact name={t('sign_on.new_people_title')}>{t(`sign_on.new_people.${provider.new_people}`)}</Fact>
        <Fact name={t('sign_on.password_allowed')}>{t(provider.password_allowed ? 'yes' : 'no')}</Fact>
      </Facts>
    </Section>
  );
}

function Settings({ settings }: { settings: SignOnSettings }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const save = useSaveSignOn(tenant.id);
  const form = useSavedForm({
    schema: signOnSchema,
    values: formOf(settings),
    versioned: {
      version: settings.version,
      read: async () => {
        const now = await readSignOnSettings(tenant.id);
        return { values: formOf(now), version: now.version };
      },
      fields: {
        name: { label: t('sign_on.name') },
        issuer: { label: t('sign_on.issuer') },
        client_id: { label: t('sign_on.client_id') },
        domains: { label: t('sign_on.domains') },
        new_people: { label: t('sign_on.new_people_title'), show: (id) => t(`sign_on.new_people.${id}`) },
        trusts_addresses: { label: t('sign_on.trusts_addresses'), show: (on) => t(on ? 'yes' : 'no') },
        trusts_second_factor: {
          label: t('sign_on.trusts_second_factor'),
          show: (on) => t(on ? 'yes' : 'no'),
        },
        password_allowed: { label: t('sign_on.password_allowed'), show: (on) => t(on ? 'yes' : 'no') },
      },
    },
    save: async (values, version) => {
      await save.mutateAsync({ version, input: inputOf(values) });
      toast.success(t('saved', { name: t('sign_on.title') }));
    },
  });
  return (
    <Section title={t('sign_on.provider')} lead={t('sign_on.provider_lead')}>
      <Form {...form} action={t('save')}>
        <Fields>
          <TextField
            name="name"
            label={t('sign_on.name')}
            description={t('sign_on.name_help')}
            placeholder="Acme"
            autoComplete="off"
          />
          <TextField
            name="issuer"
            label={t('sign_on.issuer')}
            description={t('sign_on.issuer_help')}
            placeholder="https://"
            autoComplete="off"
            technical
          />
          <TextField name="client_id" label={t('sign_on.client_id')} autoComplete="off" technical />
          <PasswordField
            name="client_secret"
            label={t('sign_on.client_secret')}
            description={t(
              settings.provider?.has_client_secret ? 'sign_on.secret_kept' : 'sign_on.secret_help',
            )}
            autoComplete="new-password"
            optional
          />
          <TextField
            name="domains"
            label={t('sign_on.domains')}
            description={t('sign_on.domains_help')}
            placeholder="example.com"
            autoComplete="off"
            technical
          />
          <Choose
            name="new_people"
            label={t('sign_on.new_people_title')}
            description={t('sign_on.new_people_help')}
            choices={NEW_PEOPLE.map((id) => ({ id, label: t(`sign_on.new_people.${id}`) }))}
          />
        </Fields>
        <Toggle
          name="trusts_addresses"
          label={t('sign_on.trusts_addresses')}
          description={t('sign_on.trusts_addresses_help')}
        />
        <Toggle
          name="trusts_second_factor"
          label={t('sign_on.trusts_second_factor')}
          description={t('sign_on.trusts_second_factor_help')}
        />
        <Toggle
          name="password_allowed"
          label={t('sign_on.password_allowed')}
          description={t(settings.proven ? 'sign_on.password_allowed_help' : 'sign_on.password_unproven')}
        />
        <Trial typed={() => form.form.getValues()} />
      </Form>
    </Section>
  );
}

function TurnOff({ name }: { name: string }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const [asking, setAsking] = useState(false);
  const remove = useDeleteSignOn(tenant.id);
  const reason = useReason();
  return (
    <Section title={t('sign_on.turn_off')} lead={t('sign_on.turn_off_lead')}>
      {remove.error && (
        <div className="mb-4">
          <Notice tone="danger" alert>
            {reason(remove.error)}
          </Notice>
        </div>
      )}
      <Button variant="danger-soft" onPress={() => setAsking(true)}>
        {t('sign_on.turn_off')}
      </Button>
      <ConfirmDialog
        title={t('sign_on.turn_off_title', { name })}
        open={asking}
        onClose={() => setAsking(false)}
        confirm={t('sign_on.turn_off')}
        pending={remove.isPending}
        onConfirm={() =>
          remove.mutate(undefined, {
            onSuccess: () => toast.success(t('sign_on.turned_off')),
            onSettled: () => setAsking(false),
          })
        }
      >
        {t('sign_on.turn_off_lead')}
      </ConfirmDialog>
    </Section>
  );
}
