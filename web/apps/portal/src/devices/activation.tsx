/**
 * How to activate a device: QR code, link and code; or that it is done; and a new start. Only for those who may
 * change things: whoever reads a code can become the phone.
 */
import { qrAddress, useActivation, type Activation, type Device } from '@tandem/api';
import { Button, ButtonLink, CopyButton, Placeholder, Section } from '@tandem/ui';
import { CheckCircle2, Phone, Printer, TimerOff } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Failed } from '../pages/absent';
import { useDate } from '../pages/date';
import { useTenant } from '../tenant';
import { DeskPhoneSection, SetUpDeskPhone } from './desk-phone';
import { Hidden, SendInstructions } from './instructions';
import { codeGroups } from './model';
import { Reset } from './reset';
import { useDeviceStatus } from './status';

export function ActivationSection({ device }: { device: Device }) {
  const [settingUp, setSettingUp] = useState(false);
  const begin = () => setSettingUp(true);
  return (
    <>
      {device.desk_phone ? (
        <DeskPhoneSection device={device} deskPhone={device.desk_phone} onReplace={begin} />
      ) : (
        <SoftphoneSection device={device} onDeskPhone={begin} />
      )}
      {/* Beside both: it tells the address when the one has made room for the other. */}
      <SetUpDeskPhone device={device} open={settingUp} onClose={() => setSettingUp(false)} />
    </>
  );
}

interface SoftphoneSectionProps {
  device: Device;
  onDeskPhone: () => void;
}

function SoftphoneSection({ device, onDeskPhone }: SoftphoneSectionProps) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const { data, error, refetch } = useActivation(tenant.id, device.id);
  if (!data && error) {
    return <Failed error={error} onRetry={() => void refetch()} />;
  }
  if (!data) return <Placeholder />;
  return (
    <Section
      title={t('activation.title')}
      lead={data.state === 'open' && !data.hidden && t('activation.lead')}
    >
      {data.state === 'open' && !data.hidden && <Instructions device={device} activation={data} />}
      {data.state === 'open' && data.hidden && <Hidden device={device} activation={data} />}
      {data.state === 'used' && <Used device={device} />}
      {data.state === 'expired' && <Expired activation={data} />}
      {data.state !== 'used' && <SendInstructions device={device} again={data.instructions !== undefined} />}
      <div className="mt-6 flex flex-wrap items-center gap-x-4 gap-y-2 border-t border-separator pt-5">
        <Reset device={device} state={data.state} />
        <p className="min-w-52 flex-1 text-xs text-muted">{t(`activation.reset_help.${data.state}`)}</p>
      </div>
      <div className="mt-4 flex flex-wrap items-center gap-x-4 gap-y-2">
        <Button variant="ghost" onPress={onDeskPhone}>
          <Phone aria-hidden />
          {t('desk_phone.set_up')}
        </Button>
        <p className="min-w-52 flex-1 text-xs text-muted">{t('desk_phone.set_up_help')}</p>
      </div>
    </Section>
  );
}

interface InstructionsProps {
  device: Device;
  activation: Activation;
}

function Instructions({ device, activation }: InstructionsProps) {
  const { t } = useTranslation();
  const date = useDate();
  const { tenant, path } = useTenant();
  const { link, code } = activation;
  return (
    <div className="grid gap-x-8 gap-y-6 sm:grid-cols-[auto_minmax(0,1fr)]">
      <div className="flex flex-col items-center gap-3 sm:items-start">
        <QrCode tenant={tenant.id} device={device} activation={activation} />
        <ButtonLink href={path(`/devices/${device.id}/print`)} variant="secondary">
          <Printer aria-hidden />
          {t('activation.print')}
        </ButtonLink>
      </div>
      <div className="flex min-w-0 flex-col gap-5">
        {link && (
          <div>
            <h3 className="text-sm font-medium">{t('activation.link')}</h3>
            <p className="mb-2 text-xs text-muted">{t('activation.link_help')}</p>
            <p
              className="verbatim rounded-lg border border-border bg-surface-secondary p-2.5"
              data-testid="activation-link"
            >
              {link}
            </p>
            <div className="mt-2 flex flex-wrap gap-2">
              <CopyButton text={link} label={t('activation.copy_link')} />
              <a className="button button--sm button--secondary" href={link} target="_blank" rel="noreferrer">
                {t('activation.open_here')}
              </a>
            </div>
          </div>
        )}
        {code && (
          <div>
            <h3 className="text-sm font-medium">{t('activation.code')}</h3>
            <p className="mb-2 text-xs text-muted">
              {t('activation.code_help')}{' '}
              <span className="verbatim inline-block text-foreground">{activation.portal_url}</span>
            </p>
            <Code code={code} />
            <div className="mt-2">
              <CopyButton text={code} label={t('activation.copy_code')} />
            </div>
          </div>
        )}
        <p className="text-xs text-muted">{t('activation.expires', { date: date(activation.expires_at) })}</p>
      </div>
    </div>
  );
}

interface QrCodeProps {
  tenant: string;
  device: Device;
  activation: Activation;
}

export function QrCode({ tenant, device, activation }: QrCodeProps) {
  const { t } = useTranslation();
  return (
    // White in every theme: cameras want the contrast. The image brings its own margin.
    <div className="overflow-hidden rounded-xl border border-border bg-white">
      <img
        src={qrAddress(tenant, device.id, activation.expires_at)}
        alt={t('activation.qr', { name: device.name })}
        width={208}
        height={208}
        className="size-52"
      />
    </div>
  );
}

/** In groups to be read aloud; copied or read by a machine it is one word with hyphens. */
export function Code({ code }: { code: string }) {
  return (
    <p
      data-testid="activation-code"
      className="flex w-fit flex-wrap items-center font-mono text-[0.9375rem] font-semibold tracking-wide sm:text-lg sm:tracking-widest"
    >
      {codeGroups(code).map(({ place, symbols }) => (
        <span key={place} className="flex items-center">
          {place > 0 && <span className="px-0.5 text-muted sm:px-1">-</span>}
          <span className="rounded-md border border-border bg-surface-secondary px-1.5 py-0.5 sm:px-2">
            {symbols}
          </span>
        </span>
      ))}
    </p>
  );
}

function Used({ device }: { device: Device }) {
  const { t } = useTranslation();
  const { notStarted } = useDeviceStatus(device);
  const date = useDate();
  return (
    <div className="flex items-start gap-3">
      <CheckCircle2 className="size-6 shrink-0 text-success" aria-hidden />
      <div>
        <p className="font-medium">{t('activation.used')}</p>
        {device.activated_at && (
          <p className="text-muted">{t('activation.used_at', { date: date(device.activated_at) })}</p>
        )}
        {notStarted && (
          <>
            <p className="mt-3">{t('activation.start')}</p>
            <p className="verbatim mt-1 rounded-lg border border-border bg-surface-secondary p-2.5">
              softphone run
            </p>
          </>
        )}
      </div>
    </div>
  );
}

function Expired({ activation }: { activation: Activation }) {
  const { t } = useTranslation();
  const date = useDate();
  return (
    <div className="flex items-start gap-3">
      <TimerOff className="size-6 shrink-0 text-muted" aria-hidden />
      <div>
        <p className="font-medium">{t('activation.expired')}</p>
        <p className="text-muted">{t('activation.expired_at', { date: date(activation.expires_at) })}</p>
      </div>
    </div>
  );
}
