/**
 * The secret that signs what is sent: told once, and replaced with a time in which the one before signs too.
 */
import { useReplaceWebhookSecret, type Webhook } from '@tandem/api';
import { Button, ChoiceField, CodeBlock, DateTime, Dialog, Notice, Section } from '@tandem/ui';
import { KeyRound } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { Trans, useTranslation } from 'react-i18next';

import { useErrorText } from '../forms/error-text';
import { LeaveGuard, useKept } from '../forms/leave-guard';
import { messagesOf } from '../forms/refused';
import { useTenant } from '../tenant';

/** Hours in which both secrets sign. */
const OVERLAPS = ['0', '1', '24', '168'] as const;

/** `action` closes it, once the secret is kept. */
export function ToldSecret({
  secret,
  action,
}: {
  secret: string;
  action: (onKept: () => void) => ReactNode;
}) {
  const { t } = useTranslation();
  const { isKept, onKept } = useKept();
  return (
    <>
      <LeaveGuard lost="told" isKept={isKept} />
      <Notice tone="warning" alert>
        {t('webhooks.secret_once')}
      </Notice>
      <CodeBlock
        label={t('webhooks.secret')}
        copyLabel={t('webhooks.secret_copy')}
        text={secret}
        onCopied={onKept}
      />
      <p className="text-sm text-muted">{t('webhooks.secret_use')}</p>
      {action(onKept)}
    </>
  );
}

export function Secret({ webhook }: { webhook: Webhook }) {
  const { t } = useTranslation();
  const { tenant, mayChange } = useTenant();
  const replace = useReplaceWebhookSecret(tenant.id);
  const [asking, setAsking] = useState(false);
  const [overlap, setOverlap] = useState('24');
  const errorText = useErrorText();
  const refused = replace.error && errorText(messagesOf(replace.error, []).whole);
  const until = webhook.previous_secret_until;
  const close = () => {
    setAsking(false);
    replace.reset();
  };
  return (
    <Section title={t('webhooks.secret')} lead={t('webhooks.secret_lead')}>
      {until && (
        <p className="mb-4 text-sm">
          <Trans i18nKey="webhooks.secret_both" t={t} components={{ until: <DateTime at={until} /> }} />
        </p>
      )}
      {mayChange && (
        <Button variant="secondary" onPress={() => setAsking(true)}>
          <KeyRound aria-hidden />
          {t('webhooks.secret_replace')}
        </Button>
      )}
      <Dialog
        title={t('webhooks.secret_replace')}
        open={asking}
        {...(replace.data ? {} : { onClose: close })}
      >
        <div className="flex flex-col gap-5">
          {replace.data ? (
            <ToldSecret
              secret={replace.data.secret}
              action={() => <Button onPress={close}>{t('webhooks.kept_it')}</Button>}
            />
          ) : (
            <>
              <p>{t('webhooks.secret_replace_text')}</p>
              <ChoiceField
                label={t('webhooks.overlap_title')}
                value={overlap}
                onChange={setOverlap}
                choices={OVERLAPS.map((id) => ({ id, label: t(`webhooks.overlap.h${id}`) }))}
              />
              {refused && (
                <Notice tone="danger" alert>
                  {refused}
                </Notice>
              )}
              <Button
                isPending={replace.isPending}
                onPress={() => replace.mutate({ id: webhook.id, overlap_hours: Number(overlap) })}
              >
                {t('webhooks.secret_replace')}
              </Button>
            </>
          )}
        </div>
      </Dialog>
    </Section>
  );
}
