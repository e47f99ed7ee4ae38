/**
 * Whether the log is whole, in words.
 */
import { useVerifyAudit, type AuditVerification } from '@tandem/api';
import { Button, CopyButton, Dialog, Notice, Spinner } from '@tandem/ui';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';

import { useTenant } from '../tenant';

export function Verification({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(['portal', 'ui']);
  const { tenant } = useTenant();
  const { mutate, data, isError } = useVerifyAudit(tenant.id);
  useEffect(() => mutate(), [mutate]);
  return (
    <Dialog
      title={t('audit.verify.title')}
      open
      onClose={onClose}
      footer={
        <Button variant="secondary" onPress={onClose} autoFocus>
          {t('ui:close')}
        </Button>
      }
    >
      <div className="flex flex-col gap-4">
        <p>{t('audit.verify.lead')}</p>
        {!data && !isError && (
          <p role="status" className="flex items-center gap-2">
            <Spinner size="sm" />
            {t('audit.verify.running')}
          </p>
        )}
        {isError && (
          <Notice tone="danger" alert>
            {t('audit.verify.failed')}
          </Notice>
        )}
        {data && <Result verified={data} />}
      </div>
    </Dialog>
  );
}

function Result({ verified }: { verified: AuditVerification }) {
  const { t } = useTranslation();
  const { broken_at, entries, hash } = verified;
  if (broken_at != null) {
    return (
      <Notice tone="danger" alert>
        {t('audit.verify.broken', { number: broken_at })}
      </Notice>
    );
  }
  return (
    <>
      <Notice tone="good" alert>
        {t('audit.verify.whole', { count: entries })}
      </Notice>
      <div>
        <p className="font-medium text-foreground">{t('audit.verify.hash')}</p>
        <p className="verbatim mt-1 break-all">{hash}</p>
        <p className="mt-1 mb-2 text-xs">{t('audit.verify.hash_help')}</p>
        <CopyButton text={hash} label={t('audit.verify.copy')} />
      </div>
    </>
  );
}
