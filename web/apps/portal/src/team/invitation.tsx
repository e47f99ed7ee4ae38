/**
 * Somebody who was invited and has not come yet.
 */
import {
  useInvitationLink,
  useMailSettings,
  useResendInvitation,
  useWithdrawInvitation,
  type Invitation,
} from '@tandem/api';
import { Button, CodeBlock, DateTime, Dialog, Notice, StatusBadge, toast } from '@tandem/ui';
import { Link2, Mail, X } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { RefusedNotice } from '../forms/refused-notice';
import { useTenant } from '../tenant';

interface InvitationRowProps {
  invitation: Invitation;
  mayChange: boolean;
}

export function InvitationRow({ invitation, mayChange }: InvitationRowProps) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const resend = useResendInvitation(tenant.id);
  const withdraw = useWithdrawInvitation(tenant.id);
  const renew = useInvitationLink(tenant.id);
  const [link, setLink] = useState<string>();
  const staysHere = useMailSettings(tenant.id).data?.way === 'mailbox';
  // The row is gone when it has worked: what follows must not depend on it.
  const takeBack = async () => {
    try {
      await withdraw.mutateAsync(id);
    } catch {
      return;
    }
    toast.success(t('team.withdrawn', { email }));
  };
  const { id, email, role, invited_by, expires_at, expired } = invitation;
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-3 py-4 first:pt-0 last:pb-0">
      <div className="min-w-0 flex-1 basis-56">
        <p className="flex flex-wrap items-center gap-2 font-medium break-all">
          {email}
          <StatusBadge tone={expired ? 'idle' : 'waiting'}>
            {t(expired ? 'team.expired' : 'team.waiting')}
          </StatusBadge>
        </p>
        <p className="text-xs text-muted">
          {t(`team.role.${role}`)} · {t('team.invited_by', { name: invited_by })} ·{' '}
          {t(expired ? 'team.expired_on' : 'team.valid_until')} <DateTime at={expires_at} as="day" />
        </p>
      </div>
      {mayChange && (
        <div className="flex flex-wrap gap-2">
          <Button
            variant="secondary"
            size="sm"
            isPending={renew.isPending}
            aria-label={t('team.link_of', { email })}
            onPress={() => renew.mutate(id, { onSuccess: (told) => setLink(told.link) })}
          >
            <Link2 aria-hidden />
            {t('team.link')}
          </Button>
          <Button
            variant="secondary"
            size="sm"
            isPending={resend.isPending}
            aria-label={t('team.resend_to', { email })}
            onPress={() =>
              resend.mutate(id, {
                onSuccess: () =>
                  toast.success(t(staysHere ? 'team.invited_here' : 'team.invited', { email })),
              })
            }
          >
            <Mail aria-hidden />
            {t('team.resend')}
          </Button>
          <Button
            variant="secondary"
            size="sm"
            isIconOnly
            isPending={withdraw.isPending}
            aria-label={t('team.withdraw', { email })}
            onPress={() => void takeBack()}
          >
            <X aria-hidden />
          </Button>
        </div>
      )}
      <div className="w-full empty:hidden">
        <RefusedNotice error={resend.error ?? withdraw.error ?? renew.error} />
      </div>
      {link && <LinkDialog email={email} link={link} onClose={() => setLink(undefined)} />}
    </li>
  );
}

interface LinkDialogProps {
  email: string;
  link: string;
  onClose: () => void;
}

/** The link to pass on, this once. */
function LinkDialog({ email, link, onClose }: LinkDialogProps) {
  const { t } = useTranslation(['portal', 'ui']);
  return (
    <Dialog
      title={t('team.link_of', { email })}
      open
      onClose={onClose}
      footer={
        <Button variant="secondary" onPress={onClose}>
          {t('ui:close')}
        </Button>
      }
    >
      <div className="flex flex-col gap-4 text-foreground">
        <Notice tone="warning">{t('team.link_once', { email })}</Notice>
        <CodeBlock label={t('team.link_label')} copyLabel={t('team.link_copy')} text={link} />
      </div>
    </Dialog>
  );
}
