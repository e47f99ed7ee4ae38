/**
 * A call in words: what became of it, why it ended, who it was between.
 */
import type { Call, CallParty } from '@tandem/api';
import { StatusBadge } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { partyName, TONES } from './model';

export function OutcomeBadge({ call }: { call: Call }) {
  const { t } = useTranslation();
  return <StatusBadge tone={TONES[call.outcome]}>{t(`calls.outcome.${call.outcome}`)}</StatusBadge>;
}

/** Why it ended, as a sentence. */
export function useReason(): (call: Call) => string {
  const { t } = useTranslation();
  return ({ outcome, reason, answered_at }) => {
    if (outcome === 'interrupted') return t('calls.reason.interrupted');
    if (!reason) return t(answered_at ? 'calls.reason.talking' : 'calls.reason.ringing');
    return t(`calls.reason.${reason}`);
  };
}

/** Who called whom. */
export function useTitleOf(): (call: Call) => string {
  const { t } = useTranslation();
  const name = (party: CallParty) => partyName(party) ?? t('calls.withheld');
  return ({ caller, callee }) => t('calls.title_of', { caller: name(caller), callee: name(callee) });
}
