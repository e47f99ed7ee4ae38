/**
 * Somebody who was invited and has not come yet.
 */
import { useResendInvitation, useWithdrawInvitation, type Invitation } from '@tandem/api';
import { Button, DateTime, StatusBadge, toast } from '@tandem/ui';
import { Mail, X } from 'lucide-react';
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
        <div className="flex gap-2">
          <Button
            variant="secondary"
            size="sm"
            isPending={resend.isPending}
            aria-label={t('team.resend_to', { email })}
            onPress={() =>
              resend.mutate(id, { onSuccess: () => toast.success(t('team.invited', { email })) })
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
        <RefusedNotice error={resend.error ?? withdraw.error} />
      </div>
    </li>
  );
}
