/**
 * Trying the provider as it was typed: what is well, and what is wrong first.
 */
import { useTestSignOn, type SignOnTest } from '@tandem/api';
import { Button, Notice } from '@tandem/ui';
import { CheckCircle2, XCircle } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { filled } from '../forms/checks';
import { useSentence } from '../refusals/use-sentence';
import { useTenant } from '../tenant';
import type { SignOnForm } from './model';
import { useReason } from './reason';

export function Trial({ typed }: { typed: () => SignOnForm }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const test = useTestSignOn(tenant.id);
  const reason = useReason();
  return (
    <div className="flex flex-col gap-3">
      <Button
        variant="secondary"
        className="w-fit"
        isPending={test.isPending}
        onPress={() => {
          const { issuer, client_id, client_secret } = typed();
          test.mutate({ issuer, client_id, client_secret: filled(client_secret) });
        }}
      >
        {t('sign_on.try')}
      </Button>
      <div aria-live="polite" className="flex flex-col gap-3">
        {test.error && <Notice tone="danger">{reason(test.error)}</Notice>}
        {test.data && <Result test={test.data} />}
      </div>
    </div>
  );
}

function Result({ test }: { test: SignOnTest }) {
  const { t } = useTranslation();
  const sentence = useSentence();
  return (
    <>
      {test.good && <Notice tone="good">{t('sign_on.try_good')}</Notice>}
      <ol className="flex flex-col gap-2">
        {test.steps.map(({ step, reason, said }) => (
          <li key={step} className="flex items-start gap-2">
            {reason ? (
              <XCircle className="mt-0.5 size-4 shrink-0 text-danger" aria-label={t('mail.step_failed')} />
            ) : (
              <CheckCircle2
                className="mt-0.5 size-4 shrink-0 text-success"
                aria-label={t('mail.step_done')}
              />
            )}
            <div className="min-w-0">
              <p>{t(`sign_on.step.${step}`)}</p>
              {reason && <p className="text-danger">{t(`sign_on.reason.${reason}`)}</p>}
              {said && <p className="verbatim text-xs text-muted">{sentence(said)}</p>}
            </div>
          </li>
        ))}
      </ol>
    </>
  );
}
