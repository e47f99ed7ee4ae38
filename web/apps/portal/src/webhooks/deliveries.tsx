/**
 * What a webhook was told, or is to be told, and what became of it; told again by hand.
 */
import {
  useRedeliver,
  useWebhookDeliveries,
  useWebhookDelivery,
  type Webhook,
  type WebhookDelivery,
} from '@tandem/api';
import {
  Button,
  ChoiceField,
  CodeBlock,
  DataTable,
  DateTime,
  Dialog,
  Fact,
  Facts,
  Notice,
  Placeholder,
  Section,
  StatusBadge,
  toast,
  type TableColumn,
} from '@tandem/ui';
import { RotateCw } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useErrorText } from '../forms/error-text';
import { messagesOf } from '../forms/refused';
import { Failed } from '../pages/absent';
import { useTenant } from '../tenant';
import { DELIVERY_TONES, FILTERS, isRetried, wordOf, type Filter } from './model';

export function Deliveries({ webhook }: { webhook: Webhook }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const [filter, setFilter] = useState<Filter>('all');
  const [open, setOpen] = useState<string>();
  const rows = useWebhookDeliveries(tenant.id, webhook.id, FILTERS[filter]);
  const { data, error } = rows;
  const columns = useColumns(setOpen);
  const eventName = useEventName();
  return (
    <Section title={t('webhooks.deliveries')} lead={t('webhooks.deliveries_lead')}>
      <div className="flex flex-col gap-4">
        <div className="max-w-60">
          <ChoiceField
            label={t('webhooks.filter_title')}
            value={filter}
            onChange={(id) => setFilter(id as Filter)}
            choices={(Object.keys(FILTERS) as Filter[]).map((id) => ({
              id,
              label: t(`webhooks.filter.${id}`),
            }))}
          />
        </div>
        {!data && error && <Failed error={error} onRetry={() => void rows.refetch()} />}
        {!data && !error && <Placeholder rows={3} />}
        {data?.length === 0 && <p className="text-sm text-muted">{t('webhooks.no_deliveries')}</p>}
        {data && data.length > 0 && (
          <DataTable<WebhookDelivery>
            label={t('webhooks.deliveries')}
            columns={columns}
            items={data}
            nameOf={({ event }) => eventName(event)}
            onMore={rows.hasNextPage ? () => void rows.fetchNextPage() : undefined}
            pending={rows.isFetchingNextPage}
          />
        )}
      </div>
      {open && <Detail id={open} webhook={webhook} onClose={() => setOpen(undefined)} />}
    </Section>
  );
}

function useEventName() {
  const { t, i18n } = useTranslation();
  return (event: string) => {
    const key = `webhooks.event.${wordOf(event)}`;
    // What a newer server knows is shown by its name.
    return i18n.exists(key) ? t(key as 'webhooks.event.call_ended') : event;
  };
}

function useColumns(open: (id: string) => void): TableColumn<WebhookDelivery>[] {
  const { t } = useTranslation();
  const eventName = useEventName();
  return [
    {
      id: 'event',
      title: t('webhooks.event_title'),
      share: 2,
      cell: ({ event, occurred_at }) => (
        <span>
          <span className="block font-medium">{eventName(event)}</span>
          <span className="block text-xs text-muted tabular-nums">
            <DateTime at={occurred_at} />
          </span>
        </span>
      ),
    },
    {
      id: 'state',
      title: t('webhooks.state_title'),
      share: 2,
      cell: (delivery) => <Outcome delivery={delivery} />,
    },
    {
      id: 'attempts',
      title: t('webhooks.attempts'),
      cell: ({ attempts }) => <span className="tabular-nums">{attempts}</span>,
    },
    {
      id: 'actions',
      title: t('webhooks.details'),
      plain: true,
      cell: ({ id, event }) => (
        <Button
          size="sm"
          variant="secondary"
          aria-label={t('webhooks.details_of', { event: eventName(event) })}
          onPress={() => open(id)}
        >
          {t('webhooks.details')}
        </Button>
      ),
    },
  ];
}

/** How it went, and why. */
function Outcome({ delivery }: { delivery: WebhookDelivery }) {
  const { t } = useTranslation();
  const { state, reason, status, next_attempt_at } = delivery;
  const retried = isRetried(delivery);
  return (
    <span className="flex flex-col gap-1">
      <StatusBadge tone={DELIVERY_TONES[state]}>
        {t(retried ? 'webhooks.retried' : `webhooks.delivery.${state}`)}
      </StatusBadge>
      {reason && (
        <span className="text-xs text-muted">{t(`webhooks.reason.${reason}`, { status: status ?? '' })}</span>
      )}
      {retried && next_attempt_at && (
        <span className="text-xs text-muted">
          {t('webhooks.next')} <DateTime at={next_attempt_at} as="ago" />
        </span>
      )}
    </span>
  );
}

interface DetailProps {
  id: string;
  webhook: Webhook;
  onClose: () => void;
}

function Detail({ id, webhook, onClose }: DetailProps) {
  const { t } = useTranslation(['portal', 'ui']);
  const { tenant, mayChange } = useTenant();
  const { data, error, refetch } = useWebhookDelivery(tenant.id, id);
  const redeliver = useRedeliver(tenant.id);
  const errorText = useErrorText();
  const refused = redeliver.error && errorText(messagesOf(redeliver.error, []).whole);
  const eventName = useEventName();
  const again = mayChange && webhook.enabled && data && (
    <Button
      isPending={redeliver.isPending}
      onPress={() =>
        redeliver.mutate(id, {
          onSuccess: () => {
            toast.success(t('webhooks.redelivered'));
            onClose();
          },
        })
      }
    >
      <RotateCw aria-hidden />
      {t('webhooks.redeliver')}
    </Button>
  );
  return (
    <Dialog
      title={data ? eventName(data.event) : t('webhooks.details')}
      open
      onClose={onClose}
      wide
      footer={
        <>
          <Button variant="secondary" onPress={onClose}>
            {t('ui:close')}
          </Button>
          {again}
        </>
      }
    >
      <div className="flex flex-col gap-5">
        {!data && error && <Failed error={error} onRetry={() => void refetch()} />}
        {!data && !error && <Placeholder rows={3} />}
        {data && (
          <>
            <Facts>
              <Fact name={t('webhooks.state_title')}>
                <Outcome delivery={data} />
              </Fact>
              <Fact name={t('webhooks.status')}>{data.status}</Fact>
              <Fact name={t('webhooks.attempts')}>{data.attempts}</Fact>
              <Fact name={t('webhooks.attempted_at')}>
                {data.attempted_at && <DateTime at={data.attempted_at} />}
              </Fact>
              <Fact name={t('webhooks.took')}>
                {data.took_ms !== undefined &&
                  data.took_ms !== null &&
                  t('webhooks.milliseconds', { count: data.took_ms })}
              </Fact>
              <Fact name={t('webhooks.message_id')}>
                <span className="verbatim break-all">{data.message_id}</span>
              </Fact>
              <Fact name={t('webhooks.answer')}>
                {data.excerpt && <span className="verbatim break-all">{data.excerpt}</span>}
              </Fact>
            </Facts>
            {data.message && (
              <CodeBlock
                label={t('webhooks.message')}
                copyLabel={t('webhooks.message_copy')}
                text={JSON.stringify(data.message, null, 2)}
              />
            )}
          </>
        )}
        {refused && (
          <Notice tone="danger" alert>
            {refused}
          </Notice>
        )}
      </div>
    </Dialog>
  );
}
