/**
 * Whether an account can be reached, as the live channel last said.
 */
import { useAccountLive, type AccountStatus } from '@tandem/api';
import { StatusBadge } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { ACCOUNT_TONES } from './model';

interface AccountBadgeProps {
  /** Of an account as it was read. */
  account: { id: string; status: AccountStatus };
}

export function AccountBadge({ account }: AccountBadgeProps) {
  const { t } = useTranslation();
  const status = useAccountLive(account.id) ?? account.status;
  return <StatusBadge tone={ACCOUNT_TONES[status]}>{t(`accounts.status.${status}`)}</StatusBadge>;
}
