/**
 * The person's second factor: whether it is on, turning it on or off, and new recovery codes.
 */
import {
  useRemoveSecondFactor,
  useReplaceRecoveryCodes,
  useSecondFactor,
  useSession,
  type SecondFactor,
} from '@tandem/api';
import { Button, ConfirmDialog, DateTime, Notice, Section, StatusBadge, toast } from '@tandem/ui';
import { KeyRound, ShieldCheck, ShieldOff } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { RefusedNotice } from '../forms/refused-notice';
import { Absent } from '../pages/absent';
import { RecoveryCodes } from './recovery-codes';
import { SetUp } from './set-up';

/** With fewer left it is time for new ones. */
const FEW_CODES = 4;

export function SecondFactorSection() {
  const { t } = useTranslation();
  const { data, error, refetch } = useSecondFactor();
  const [settingUp, setSettingUp] = useState(false);
  const [codes, setCodes] = useState<string[]>();
  const missing = useSession().data?.tenants.filter((tenant) => tenant.second_factor_missing) ?? [];
  return (
    <Section
      title={t('second_factor.title')}
      lead={t('second_factor.lead')}
      action={
        data && (
          <StatusBadge tone={data.since ? 'good' : 'idle'}>
            {t(data.since ? 'second_factor.on' : 'second_factor.off')}
          </StatusBadge>
        )
      }
    >
      {missing.length > 0 && !settingUp && (
        <div className="mb-5">
          <Notice tone="warning">
            {t('second_factor.missing', { tenants: missing.map(({ name }) => name).join(', ') })}
          </Notice>
        </div>
      )}
      {data && !data.since && !settingUp && (
        <Button onPress={() => setSettingUp(true)}>
          <ShieldCheck aria-hidden />
          {t('second_factor.turn_on')}
        </Button>
      )}
      {settingUp && (
        <SetUp
          onDone={(made) => {
            setSettingUp(false);
            setCodes(made);
          }}
          onCancel={() => setSettingUp(false)}
        />
      )}
      {codes && <RecoveryCodes codes={codes} onDone={() => setCodes(undefined)} />}
      {data?.since && !codes && <TurnedOn factor={data} since={data.since} onCodes={setCodes} />}
      <Absent data={data} error={error} onRetry={() => void refetch()} rows={1} />
    </Section>
  );
}

interface TurnedOnProps {
  factor: SecondFactor;
  since: string;
  onCodes: (codes: string[]) => void;
}

function TurnedOn({ factor, since, onCodes }: TurnedOnProps) {
  const { t } = useTranslation();
  const replace = useReplaceRecoveryCodes();
  const left = factor.recovery_codes_left;
  return (
    <div className="flex flex-col gap-4">
      <p>
        {t('second_factor.since')} <DateTime at={since} as="day" />.{' '}
        {t('second_factor.codes_left', { count: left })}
      </p>
      {left < FEW_CODES && <Notice tone="warning">{t('second_factor.few_codes')}</Notice>}
      <RefusedNotice error={replace.error} />
      <div className="flex flex-wrap gap-2">
        <Button
          variant="secondary"
          isPending={replace.isPending}
          onPress={() => replace.mutate(undefined, { onSuccess: ({ codes }) => onCodes(codes) })}
        >
          <KeyRound aria-hidden />
          {t('second_factor.new_codes')}
        </Button>
        {factor.required ? (
          <p className="self-center text-xs text-muted">{t('second_factor.required')}</p>
        ) : (
          <TurnOff />
        )}
      </div>
    </div>
  );
}

function TurnOff() {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const remove = useRemoveSecondFactor();
  return (
    <>
      <Button variant="secondary" onPress={() => setAsking(true)}>
        <ShieldOff aria-hidden />
        {t('second_factor.turn_off')}
      </Button>
      <ConfirmDialog
        title={t('second_factor.turn_off_title')}
        open={asking}
        onClose={() => setAsking(false)}
        confirm={t('second_factor.turn_off')}
        pending={remove.isPending}
        onConfirm={() =>
          remove.mutate(undefined, {
            onSuccess: () => {
              setAsking(false);
              toast.success(t('second_factor.turned_off'));
            },
          })
        }
      >
        <p>{t('second_factor.turn_off_text')}</p>
        <RefusedNotice error={remove.error} />
      </ConfirmDialog>
    </>
  );
}
