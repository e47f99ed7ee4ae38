/**
 * A device that is a desk phone: whether it has fetched its settings, and the way to an address, which is told once.
 */
import { Refusal, useSetUpDeskPhone, type DeskPhone, type DeskPhoneMake, type Device } from '@tandem/api';
import { Button, ChoiceField, CodeBlock, Dialog, Notice, Section } from '@tandem/ui';
import { CheckCircle2, Hourglass, Phone } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useErrorText } from '../forms/error-text';
import { LeaveGuard, useKept } from '../forms/leave-guard';
import { messagesOf } from '../forms/refused';
import { useDate } from '../pages/date';
import { useTenant } from '../tenant';
import { DESK_PHONE_MAKES, platformName } from './model';
import { Reset } from './reset';

interface DeskPhoneSectionProps {
  device: Device;
  deskPhone: DeskPhone;
  onReplace: () => void;
}

export function DeskPhoneSection({ device, deskPhone, onReplace }: DeskPhoneSectionProps) {
  const { t } = useTranslation();
  const date = useDate();
  const { fetched_at, made_at, make } = deskPhone;
  const Sign = fetched_at ? CheckCircle2 : Hourglass;
  return (
    <Section title={t('desk_phone.title', { make: platformName(make) })}>
      <div className="flex items-start gap-3" data-testid="desk-phone">
        <Sign className={`size-6 shrink-0 ${fetched_at ? 'text-success' : 'text-muted'}`} aria-hidden />
        <div>
          <p className="font-medium">{t(fetched_at ? 'desk_phone.fetched' : 'desk_phone.waiting')}</p>
          <p className="text-muted">
            {fetched_at
              ? t('desk_phone.fetched_at', { date: date(fetched_at) })
              : t('desk_phone.made_at', { date: date(made_at) })}
          </p>
          <p className="mt-2 text-xs text-muted">{t('desk_phone.daily')}</p>
        </div>
      </div>
      <div className="mt-6 flex flex-wrap items-center gap-x-4 gap-y-2 border-t border-separator pt-5">
        <Button variant="secondary" onPress={onReplace}>
          <Phone aria-hidden />
          {t('desk_phone.replace')}
        </Button>
        <Reset device={device} state="desk_phone" />
        <p className="min-w-52 flex-1 text-xs text-muted">{t('activation.reset_help.desk_phone')}</p>
      </div>
    </Section>
  );
}

interface SetUpDeskPhoneProps {
  device: Device;
  open: boolean;
  onClose: () => void;
}

export function SetUpDeskPhone({ device, open, onClose }: SetUpDeskPhoneProps) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const setUp = useSetUpDeskPhone(tenant.id, device.id);
  const [chosen, setChosen] = useState<DeskPhoneMake>();
  const make = chosen ?? device.desk_phone?.make ?? 'yealink';
  const address = setUp.data?.address;
  const close = () => {
    onClose();
    // Not before it is out of sight.
    setUp.reset();
    setChosen(undefined);
  };
  return (
    <Dialog title={t('desk_phone.set_up_title', { name: device.name })} open={open} onClose={close}>
      {address ? (
        <Told address={address} make={make} onDone={close} />
      ) : (
        <div className="flex flex-col gap-5">
          <p>{t('desk_phone.lead')}</p>
          <ChoiceField
            label={t('desk_phone.make')}
            value={make}
            onChange={(id) => setChosen(DESK_PHONE_MAKES.find((known) => known === id))}
            choices={DESK_PHONE_MAKES.map((id) => ({ id, label: platformName(id) }))}
          />
          <Notice tone="warning">{t(`desk_phone.ends.${whatEnds(device)}`)}</Notice>
          <Refused error={setUp.error} />
          <div>
            <Button isPending={setUp.isPending} onPress={() => setUp.mutate(make)}>
              {t('desk_phone.make_address')}
            </Button>
          </div>
        </div>
      )}
    </Dialog>
  );
}

function whatEnds({ activated_at, desk_phone }: Device) {
  if (desk_phone) return activated_at ? 'phone' : 'address';
  return activated_at ? 'softphone' : 'activation';
}

function Refused({ error }: { error: Error | null }) {
  const { t } = useTranslation();
  const errorText = useErrorText();
  if (!error) return null;
  const plain = error instanceof Refusal && error.kind === 'conflict';
  return (
    <Notice tone="danger" alert>
      {plain ? t('desk_phone.plain_http') : errorText(messagesOf(error, []).whole)}
    </Notice>
  );
}

interface ToldProps {
  address: string;
  make: DeskPhoneMake;
  onDone: () => void;
}

function Told({ address, make, onDone }: ToldProps) {
  const { t } = useTranslation();
  const { isKept, onKept } = useKept();
  // baresip wants one file; the others make up its name themselves.
  const shown = make === 'baresip' ? `${address}accounts` : address;
  return (
    <div className="flex flex-col gap-5">
      <LeaveGuard lost="told" isKept={isKept} />
      <Notice tone="warning" alert>
        {t('desk_phone.once')}
      </Notice>
      <CodeBlock
        label={t('desk_phone.address')}
        copyLabel={t('desk_phone.copy')}
        text={shown}
        onCopied={onKept}
      />
      <ol className="flex list-decimal flex-col gap-2 ps-5">
        <li>{t(`desk_phone.steps.${make}.where`)}</li>
        <li>{t(`desk_phone.steps.${make}.what`)}</li>
        <li>{t('desk_phone.steps.then')}</li>
      </ol>
      {make !== 'baresip' && <p className="text-xs text-muted">{t('desk_phone.option_66')}</p>}
      <div>
        <Button onPress={onDone}>{t('desk_phone.done')}</Button>
      </div>
    </div>
  );
}
