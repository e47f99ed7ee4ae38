/**
 * A SIP account: new, or changed.
 */
import {
  useChoices,
  useCreate,
  useNewest,
  useUpdate,
  type Account,
  type Codec,
  type Provider,
} from '@tandem/api';
import { Advanced, Fact, Facts, OrderedList, PageHead, Section, toast } from '@tandem/ui';
import { getRouteApi } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';

import { Choose } from '../forms/choose';
import { Fields, Form, PasswordField, TextField, Toggle, useField } from '../forms/form';
import { useGoOn } from '../forms/go-on';
import { useSavedForm, type SavedForm } from '../forms/saved-form';
import { AbsentAny } from '../pages/absent';
import { Item } from '../pages/item';
import { Remove } from '../pages/remove';
import { TRANSPORTS } from '../providers/model';
import { useTenant } from '../tenant';
import { AddButtons } from './add-buttons';
import { ruleFormOf, type RuleForm } from './dialing';
import { DialingRules } from './dialing-rules';
import {
  accountSchema,
  CODEC_NAMES,
  CODECS,
  formOf,
  inputOf,
  newAccount,
  passwordRule,
  type AccountForm,
} from './model';
import { AccountBadge } from './status';

const route = getRouteApi('/t/$slug/shell/accounts/$id');

export function NewAccountPage() {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const providers = useChoices({ tenant: tenant.id, name: 'providers' });
  return (
    <>
      <PageHead
        title={t('accounts.new')}
        lead={t('accounts.new_lead')}
        up={{ href: path('/accounts'), label: t('accounts.title') }}
      />
      <AbsentAny reads={[providers]} />
      {providers.data && <NewAccount providers={providers.data} />}
    </>
  );
}

function NewAccount({ providers }: { providers: Provider[] }) {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const goOn = useGoOn();
  const create = useCreate({ tenant: tenant.id, name: 'accounts' });
  const own = providers.find((provider) => provider.own) ?? providers[0];
  const form = useSavedForm({
    schema: accountSchema(providers),
    values: newAccount(own?.id ?? '', own?.own),
    save: async (values) => {
      const provider = providers.find(({ id }) => id === values.provider_id);
      await create.mutateAsync(inputOf(values, provider));
      toast.success(t('saved', { name: values.name }));
      goOn(path('/accounts'));
    },
  });
  return (
    <div className="card max-w-3xl p-5 sm:p-6">
      <AccountFields form={form} providers={providers} action={t('create')} />
    </div>
  );
}

export function AccountPage() {
  const { id } = route.useParams();
  const { tenant } = useTenant();
  const providers = useChoices({ tenant: tenant.id, name: 'providers' });
  return (
    <Item name="accounts" id={id}>
      {(account) =>
        providers.data ? (
          <EditAccount key={account.id} account={account} providers={providers.data} />
        ) : (
          <AbsentAny reads={[providers]} />
        )
      }
    </Item>
  );
}

function EditAccount({ account, providers }: { account: Account; providers: Provider[] }) {
  const { t } = useTranslation();
  const { tenant, path, mayChange } = useTenant();
  const goOn = useGoOn();
  const update = useUpdate({ tenant: tenant.id, name: 'accounts' });
  const read = useNewest({ tenant: tenant.id, name: 'accounts' }, account.id);
  const provider = providers.find(({ id }) => id === account.provider_id);
  const ruleText = ({ starts_with, replace_with, minimum_length }: RuleForm) => {
    const change = `${starts_with} → ${replace_with}`;
    return minimum_length === '' ? change : `${change} (${t('accounts.dialing.from', { minimum_length })})`;
  };
  const form = useSavedForm({
    schema: accountSchema(providers, account),
    values: formOf(account),
    versioned: {
      version: account.version,
      read: async () => {
        const now = await read();
        return { values: formOf(now), version: now.version };
      },
      fields: {
        name: { label: t('accounts.name') },
        username: { label: t('accounts.username') },
        enter_on_device: { label: t('accounts.enter_on_device'), show: (on) => t(on ? 'yes' : 'no') },
        display_name: { label: t('accounts.display_name') },
        auth_username: { label: t('accounts.auth_username') },
        transport: { label: t('accounts.transport'), show: (id) => id.toUpperCase() },
        push: { label: t('accounts.push'), show: (on) => t(on ? 'accounts.push_on' : 'accounts.push_off') },
        dialing_rules: {
          label: t('accounts.dialing.title'),
          show: (rules) => rules.map(ruleText).join(', '),
        },
        codecs: { label: t('accounts.codecs'), show: (ids) => ids.map((id) => CODEC_NAMES[id]).join(', ') },
      },
    },
    save: async (values, version) => {
      const input = inputOf(values, provider);
      await update.mutateAsync({ id: account.id, version, input });
      toast.success(t('saved', { name: values.name }));
      goOn(path('/accounts'));
    },
  });
  return (
    <>
      <PageHead
        title={account.name}
        lead={<span className="verbatim">{account.aor}</span>}
        up={{ href: path('/accounts'), label: t('accounts.title') }}
        beside={<AccountBadge account={account} />}
        actions={mayChange && <Remove name="accounts" id={account.id} title={account.name} />}
      />
      <div className="max-w-3xl">
        {mayChange ? (
          <div className="card p-5 sm:p-6">
            <AccountFields form={form} providers={providers} saved={account} action={t('save')} />
          </div>
        ) : (
          <Section title={t('accounts.details')}>
            <Facts>
              <Fact name={t('accounts.provider')}>{provider?.name}</Fact>
              <Fact name={t('accounts.username')}>
                <span className="verbatim">{account.username}</span>
              </Fact>
              <Fact name={t('accounts.display_name')}>{account.display_name}</Fact>
              <Fact name={t('accounts.codecs')}>
                {account.codecs.map((codec) => CODEC_NAMES[codec]).join(', ')}
              </Fact>
              <Fact name={t('accounts.push')}>
                {t(account.push ? 'accounts.push_on' : 'accounts.push_off')}
              </Fact>
              <Fact name={t('accounts.dialing.title')}>
                {(account.dialing_rules ?? []).map((rule) => ruleText(ruleFormOf(rule))).join(', ')}
              </Fact>
              <Fact name={t('accounts.devices')}>{account.devices.map(({ name }) => name).join(', ')}</Fact>
            </Facts>
          </Section>
        )}
      </div>
    </>
  );
}

interface AccountFieldsProps {
  form: SavedForm<AccountForm>;
  providers: Provider[];
  saved?: Account;
  action: string;
}

function AccountFields({ form, providers, saved, action }: AccountFieldsProps) {
  const { t } = useTranslation();
  const { path } = useTenant();
  const provider = providers.find(({ id }) => id === form.form.watch('provider_id'));
  const onDevice = form.form.watch('enter_on_device') && !provider?.own;
  const { getFieldState, setValue } = form.form;
  useEffect(() => {
    // Push is on at first at Tandem's own proxy only; whoever has chosen keeps the choice.
    if (!saved && provider && !getFieldState('push').isTouched) setValue('push', provider.own);
  }, [saved, provider, getFieldState, setValue]);
  return (
    <Form {...form} action={action} cancel={path('/accounts')}>
      <Choose
        name="provider_id"
        label={t('accounts.provider')}
        description={t('accounts.provider_help')}
        choices={providers.map(({ id, name, server }) => ({ id, label: name, detail: server }))}
        disabled={saved !== undefined}
      />
      <Fields>
        <TextField
          name="name"
          label={t('accounts.name')}
          description={t('accounts.name_help')}
          autoComplete="off"
          autoFocus
        />
        <TextField
          name="username"
          label={t('accounts.username')}
          description={t(provider?.own ? 'accounts.extension_help' : 'accounts.username_help')}
          placeholder={provider?.own ? '201' : ''}
          autoComplete="off"
          technical
        />
      </Fields>
      {!provider?.own && (
        <Toggle
          name="enter_on_device"
          label={t('accounts.enter_on_device')}
          description={t('accounts.enter_on_device_help')}
        />
      )}
      {!onDevice && (
        <PasswordField
          name="password"
          label={t('accounts.password')}
          description={t(saved ? 'accounts.password_kept' : passwordHelp(provider))}
          autoComplete="new-password"
          optional={passwordRule(provider, saved) === 'optional'}
        />
      )}
      <AdvancedFields errors={Object.keys(form.form.formState.errors)} onDevice={onDevice} />
    </Form>
  );
}

function passwordHelp(provider: Provider | undefined) {
  return provider?.own ? 'accounts.password_made' : 'accounts.password_help';
}

const ADVANCED = new Set(['auth_username', 'display_name', 'transport', 'codecs', 'dialing_rules', 'push']);

function AdvancedFields({ errors, onDevice }: { errors: string[]; onDevice: boolean }) {
  const { t } = useTranslation();
  return (
    <Advanced title={t('advanced')} wrong={errors.some((name) => ADVANCED.has(name))}>
      <div className="flex flex-col gap-6">
        <Fields>
          <TextField
            name="display_name"
            label={t('accounts.display_name')}
            description={t('accounts.display_name_help')}
            autoComplete="off"
            optional
          />
          <TextField
            name="auth_username"
            label={t('accounts.auth_username')}
            description={t('accounts.auth_username_help')}
            autoComplete="off"
            technical
            optional
          />
          <Choose
            name="transport"
            label={t('accounts.transport')}
            choices={[
              { id: 'provider', label: t('accounts.transport_provider') },
              ...TRANSPORTS.map((id) => ({ id, label: id.toUpperCase() })),
            ]}
          />
        </Fields>
        <Codecs />
        <DialingRules />
        {onDevice ? (
          <p className="text-xs text-muted">{t('accounts.push_not_on_device')}</p>
        ) : (
          <Toggle name="push" label={t('accounts.push_wakes')} description={t('accounts.push_help')} />
        )}
      </div>
    </Advanced>
  );
}

function Codecs() {
  const { t } = useTranslation();
  const { value, onChange, error } = useField('codecs');
  const chosen = value as Codec[];
  return (
    <fieldset className="max-w-md">
      <legend className="text-sm font-medium">{t('accounts.codecs')}</legend>
      <p className="mb-2 text-xs text-muted">{t('accounts.codecs_help')}</p>
      <OrderedList
        label={t('accounts.codecs')}
        items={chosen.map((id) => ({ id, name: CODEC_NAMES[id] }))}
        onChange={onChange}
        least={1}
      />
      <AddButtons
        choices={CODECS.filter((codec) => !chosen.includes(codec)).map((id) => ({
          id,
          label: CODEC_NAMES[id],
        }))}
        onAdd={(codec) => onChange([...chosen, codec])}
      />
      {error && <p className="mt-1 text-xs text-danger">{error}</p>}
    </fieldset>
  );
}
