/**
 * A test mail, sent now, and how each step went.
 */
import { useSession, useTestMail, type MailTest } from '@tandem/api';
import { Button, Notice, Section, TextInput } from '@tandem/ui';
import { CheckCircle2, Send, XCircle } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useErrorText } from '../forms/error-text';
import { messagesOf } from '../forms/refused';
import { useTenant } from '../tenant';

export function Test() {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const session = useSession();
  const test = useTestMail(tenant.id);
  const errorText = useErrorText();
  const [typed, setTyped] = useState<string>();
  const address = typed ?? session.data?.user.email ?? '';
  const messages = test.error ? messagesOf(test.error, ['address']) : undefined;
  const refused = errorText(messages?.whole);
  return (
    <Section title={t('mail.test')} lead={t('mail.test_lead')}>
      <form
        noValidate
        className="flex flex-wrap items-end gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          test.mutate(address);
        }}
      >
        <div className="min-w-64 flex-1">
          <TextInput
            label={t('mail.test_address')}
            type="email"
            value={address}
            onChange={setTyped}
            error={errorText(messages?.fields[0]?.message)}
          />
        </div>
        <Button type="submit" variant="secondary" isPending={test.isPending}>
          <Send aria-hidden />
          {t('mail.test_send')}
        </Button>
      </form>
      <div className="mt-4 flex flex-col gap-3" aria-live="polite">
        {refused && <Notice tone="danger">{refused}</Notice>}
        {test.data && <Result test={test.data} />}
      </div>
    </Section>
  );
}

function Result({ test }: { test: MailTest }) {
  const { t } = useTranslation();
  return (
    <>
      <Notice tone={test.sent ? 'good' : 'danger'}>
        {test.sent ? t(`mail.test_sent.${test.way}`) : test.reason && t(`mail.reason.${test.reason}`)}
      </Notice>
      <ol className="flex flex-col gap-2">
        {test.steps.map(({ step, done, said }) => (
          <li key={step} className="flex items-start gap-2">
            {done ? (
              <CheckCircle2
                className="mt-0.5 size-4 shrink-0 text-success"
                aria-label={t('mail.step_done')}
              />
            ) : (
              <XCircle className="mt-0.5 size-4 shrink-0 text-danger" aria-label={t('mail.step_failed')} />
            )}
            <div className="min-w-0">
              <p>{t(`mail.step.${step}`)}</p>
              {said && <p className="verbatim text-xs text-muted">{said}</p>}
            </div>
          </li>
        ))}
      </ol>
    </>
  );
}
