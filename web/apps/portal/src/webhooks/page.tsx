/**
 * One webhook: how it is, what it was told, its settings and its secret.
 */
import {
  isNotFound,
  readWebhook,
  useRemoveWebhook,
  useTestWebhook,
  useUpdateWebhook,
  useWebhook,
  type Webhook,
} from '@tandem/api';
import {
  Button,
  ButtonLink,
  ConfirmDialog,
  DateTime,
  EmptyState,
  Notice,
  PageHead,
  Placeholder,
  StatusBadge,
  toast,
} from '@tandem/ui';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { SearchX, Send, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Trans, useTranslation } from 'react-i18next';

import { useErrorText } from '../forms/error-text';
import { messagesOf } from '../forms/refused';
import { useSavedForm } from '../forms/saved-form';
import { Failed } from '../pages/absent';
import { useTenant } from '../tenant';
import { Deliveries } from './deliveries';
import { WebhookFields } from './fields';
import { formOf, inputOf, STATE_TONES, stateOf, webhookSchema, wordOf } from './model';
import { Secret } from './secret';

const route = getRouteApi('/t/$slug/shell/webhooks/$id');

export function WebhookPage() {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const { id } = route.useParams();
  const { data, error, refetch } = useWebhook(tenant.id, id);
  if (data) return <OneWebhook key={id} webhook={data} />;
  if (error && isNotFound(error)) {
    return (
      <EmptyState
        icon={SearchX}
        title={t('gone.title')}
        action={<ButtonLink href={path('/webhooks')}>{t('webhooks.title')}</ButtonLink>}
      >
        {t('webhooks.gone')}
      </EmptyState>
    );
  }
  if (error) {
    return <Failed error={error} onRetry={() => void refetch()} />;
  }
  return <Placeholder />;
}

function OneWebhook({ webhook }: { webhook: Webhook }) {
  const { t } = useTranslation();
  const { path, mayChange } = useTenant();
  const state = stateOf(webhook);
  return (
    <>
      <PageHead
        title={webhook.name}
        lead={<span className="verbatim break-all">{webhook.url}</span>}
        up={{ href: path('/webhooks'), label: t('webhooks.title') }}
        beside={<StatusBadge tone={STATE_TONES[state]}>{t(`webhooks.state.${state}`)}</StatusBadge>}
        actions={
          mayChange && (
            <>
              {webhook.enabled && <Test webhook={webhook} />}
              <Remove webhook={webhook} />
            </>
          )
        }
      />
      <div className="flex max-w-4xl flex-col gap-6">
        <Health webhook={webhook} />
        <Deliveries webhook={webhook} />
        {mayChange && <Edit webhook={webhook} />}
        <Secret webhook={webhook} />
      </div>
    </>
  );
}

/** Only where something is to be told. */
function Health({ webhook }: { webhook: Webhook }) {
  const { t } = useTranslation();
  const state = stateOf(webhook);
  const { failing_since, dropped } = webhook;
  return (
    <>
      {state === 'failing' && failing_since && (
        <Notice tone="warning">
          <Trans
            i18nKey="webhooks.failing_text"
            t={t}
            components={{ since: <DateTime at={failing_since} /> }}
          />
        </Notice>
      )}
      {(state === 'gone' || state === 'gave_up') && (
        <Notice tone="danger">{t(`webhooks.off_text.${state}`)}</Notice>
      )}
      {dropped > 0 && <Notice tone="warning">{t('webhooks.dropped', { count: dropped })}</Notice>}
    </>
  );
}

function Edit({ webhook }: { webhook: Webhook }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const update = useUpdateWebhook(tenant.id);
  const form = useSavedForm({
    schema: webhookSchema,
    values: formOf(webhook),
    versioned: {
      version: webhook.version,
      read: async () => {
        const now = await readWebhook(tenant.id, webhook.id);
        return { values: formOf(now), version: now.version };
      },
      fields: {
        name: { label: t('webhooks.name') },
        url: { label: t('webhooks.url') },
        enabled: { label: t('webhooks.enabled'), show: (on) => t(on ? 'webhooks.yes' : 'webhooks.no') },
        events: {
          label: t('webhooks.events'),
          show: (events) =>
            events.map((event) => t(`webhooks.event.${wordOf(event) as 'call_ended'}`)).join(', '),
        },
      },
    },
    save: async (values, version) => {
      await update.mutateAsync({ id: webhook.id, version, input: inputOf(values) });
      toast.success(t('saved', { name: values.name }));
    },
  });
  return <WebhookFields form={form} action={t('save')} />;
}

function Test({ webhook }: { webhook: Webhook }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const test = useTestWebhook(tenant.id);
  const errorText = useErrorText();
  return (
    <Button
      variant="secondary"
      isPending={test.isPending}
      onPress={() =>
        test.mutate(webhook.id, {
          onSuccess: () => toast.success(t('webhooks.test_sent')),
          onError: (error) => toast.danger(errorText(messagesOf(error, []).whole) ?? t('webhooks.test')),
        })
      }
    >
      <Send aria-hidden />
      {t('webhooks.test')}
    </Button>
  );
}

function Remove({ webhook }: { webhook: Webhook }) {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const router = useRouter();
  const remove = useRemoveWebhook(tenant.id);
  const errorText = useErrorText();
  const [asking, setAsking] = useState(false);
  const refused = remove.error && errorText(messagesOf(remove.error, []).whole);
  const title = webhook.name;
  function confirm() {
    remove.mutate(webhook.id, {
      onSuccess: () => {
        setAsking(false);
        toast.success(t('remove.done', { title }));
        // What was typed about it does not matter any more.
        router.history.push(path('/webhooks'), undefined, { ignoreBlocker: true });
      },
    });
  }
  return (
    <>
      <Button variant="danger-soft" onPress={() => setAsking(true)}>
        <Trash2 aria-hidden />
        {t('remove.action')}
      </Button>
      <ConfirmDialog
        title={t('remove.title', { title })}
        open={asking}
        onClose={() => setAsking(false)}
        confirm={t('remove.action')}
        onConfirm={confirm}
        pending={remove.isPending}
      >
        <p>{t('webhooks.remove')}</p>
        {refused && (
          <Notice tone="danger" alert>
            {refused}
          </Notice>
        )}
      </ConfirmDialog>
    </>
  );
}
