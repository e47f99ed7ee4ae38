/**
 * A new webhook, and then its secret, this once.
 */
import { useCreateWebhook, type NewWebhook } from '@tandem/api';
import { ButtonLink, PageHead } from '@tandem/ui';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useSavedForm } from '../forms/saved-form';
import { useTenant } from '../tenant';
import { WebhookFields } from './fields';
import { inputOf, newWebhook, webhookSchema } from './model';
import { ToldSecret } from './secret';

export function NewWebhookPage() {
  const { t } = useTranslation();
  const { path } = useTenant();
  const [made, setMade] = useState<NewWebhook>();
  return (
    <>
      <PageHead
        title={made ? t('webhooks.made', { name: made.name }) : t('webhooks.new')}
        lead={made ? undefined : t('webhooks.new_lead')}
        up={{ href: path('/webhooks'), label: t('webhooks.title') }}
      />
      <div className="flex max-w-3xl flex-col gap-5">
        {!made && <New onMade={setMade} />}
        {made && (
          <ToldSecret
            secret={made.secret}
            action={(onKept) => (
              <div>
                <ButtonLink href={path(`/webhooks/${made.id}`)} onPress={onKept}>
                  {t('webhooks.kept_it')}
                </ButtonLink>
              </div>
            )}
          />
        )}
      </div>
    </>
  );
}

function New({ onMade }: { onMade: (made: NewWebhook) => void }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const create = useCreateWebhook(tenant.id);
  const form = useSavedForm({
    schema: webhookSchema,
    values: newWebhook,
    save: async (values) => onMade(await create.mutateAsync(inputOf(values))),
  });
  return <WebhookFields form={form} action={t('create')} alone />;
}
