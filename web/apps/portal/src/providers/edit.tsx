/**
 * A provider: new, or changed. Of Tandem's own proxy only the name can be changed.
 */
import { useCreate, useNewest, useUpdate, type Provider } from '@tandem/api';
import { Advanced, Fact, Facts, PageHead, Section, StatusBadge, toast } from '@tandem/ui';
import { getRouteApi } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { Choose } from '../forms/choose';
import { Fields, Form, TextField } from '../forms/form';
import { useGoOn } from '../forms/go-on';
import { useSavedForm, type SavedForm } from '../forms/saved-form';
import { Item } from '../pages/item';
import { Remove } from '../pages/remove';
import { useTenant } from '../tenant';
import {
  addressOf,
  formOf,
  inputOf,
  newProvider,
  providerSchema,
  TRANSPORTS,
  type ProviderForm,
} from './model';
import { ProviderTrial } from './trial';

const route = getRouteApi('/t/$slug/shell/providers/$id');

export function NewProviderPage() {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const goOn = useGoOn();
  const create = useCreate({ tenant: tenant.id, name: 'providers' });
  const form = useSavedForm({
    schema: providerSchema,
    values: newProvider,
    save: async (values) => {
      await create.mutateAsync(inputOf(values));
      toast.success(t('saved', { name: values.name }));
      goOn(path('/providers'));
    },
  });
  return (
    <>
      <PageHead
        title={t('providers.new')}
        lead={t('providers.new_lead')}
        up={{ href: path('/providers'), label: t('providers.title') }}
      />
      <div className="flex max-w-3xl flex-col gap-6">
        <div className="card p-5 sm:p-6">
          <ProviderFields form={form} action={t('create')} />
        </div>
        <ProviderTrial form={form} />
      </div>
    </>
  );
}

export function ProviderPage() {
  const { id } = route.useParams();
  return (
    <Item name="providers" id={id}>
      {(provider) => <EditProvider key={provider.id} provider={provider} />}
    </Item>
  );
}

function EditProvider({ provider }: { provider: Provider }) {
  const { t } = useTranslation();
  const { tenant, path, mayChange } = useTenant();
  const goOn = useGoOn();
  const update = useUpdate({ tenant: tenant.id, name: 'providers' });
  const read = useNewest({ tenant: tenant.id, name: 'providers' }, provider.id);
  const form = useSavedForm({
    schema: providerSchema,
    values: formOf(provider),
    versioned: {
      version: provider.version,
      read: async () => {
        const now = await read();
        return { values: formOf(now), version: now.version };
      },
      fields: {
        name: { label: t('providers.name') },
        server: { label: t('providers.server') },
        transport: { label: t('providers.transport'), show: (id) => id.toUpperCase() },
        port: { label: t('providers.port') },
        outbound_proxy: { label: t('providers.outbound_proxy') },
      },
    },
    save: async (values, version) => {
      await update.mutateAsync({ id: provider.id, version, input: inputOf(values) });
      toast.success(t('saved', { name: values.name }));
      goOn(path('/providers'));
    },
  });
  const facts = (
    <Facts>
      <Fact name={t('providers.server')}>
        <span className="verbatim">{addressOf(provider)}</span>
      </Fact>
      <Fact name={t('providers.transport')}>{provider.transport.toUpperCase()}</Fact>
      <Fact name={t('providers.outbound_proxy')}>
        {provider.outbound_proxy && <span className="verbatim">{provider.outbound_proxy}</span>}
      </Fact>
    </Facts>
  );
  return (
    <>
      <PageHead
        title={provider.name}
        up={{ href: path('/providers'), label: t('providers.title') }}
        beside={
          provider.own && (
            <StatusBadge tone="info" plain>
              {t('providers.own')}
            </StatusBadge>
          )
        }
        actions={
          mayChange && !provider.own && <Remove name="providers" id={provider.id} title={provider.name} />
        }
      />
      <div className="flex max-w-3xl flex-col gap-6">
        {mayChange && (
          <div className="card p-5 sm:p-6">
            <ProviderFields form={form} action={t('save')} own={provider.own} />
          </div>
        )}
        {(provider.own || !mayChange) && (
          <Section title={t('providers.details')} lead={provider.own && t('providers.own_lead')}>
            {facts}
          </Section>
        )}
        {mayChange && <ProviderTrial form={form} provider={provider} />}
      </div>
    </>
  );
}

interface ProviderFieldsProps {
  form: SavedForm<ProviderForm>;
  action: string;
  own?: boolean;
}

function ProviderFields({ form, action, own }: ProviderFieldsProps) {
  const { t } = useTranslation();
  const { path } = useTenant();
  const { errors } = form.form.formState;
  return (
    <Form {...form} action={action} cancel={path('/providers')}>
      <TextField
        name="name"
        label={t('providers.name')}
        description={t('providers.name_help')}
        autoComplete="off"
        autoFocus
      />
      {!own && (
        <>
          <Fields>
            <TextField
              name="server"
              label={t('providers.server')}
              description={t('providers.server_help')}
              placeholder="sip.example.com"
              autoComplete="off"
              technical
            />
            <Choose
              name="transport"
              label={t('providers.transport')}
              description={t('providers.transport_help')}
              choices={TRANSPORTS.map((id) => ({ id, label: id.toUpperCase() }))}
            />
          </Fields>
          <Advanced title={t('advanced')} wrong={'port' in errors || 'outbound_proxy' in errors}>
            <Fields>
              <TextField
                name="port"
                label={t('providers.port')}
                description={t('providers.port_help')}
                placeholder="5060"
                inputMode="numeric"
                optional
              />
              <TextField
                name="outbound_proxy"
                label={t('providers.outbound_proxy')}
                description={t('providers.outbound_proxy_help')}
                autoComplete="off"
                technical
                optional
              />
            </Fields>
          </Advanced>
        </>
      )}
    </Form>
  );
}
