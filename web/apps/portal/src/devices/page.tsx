/**
 * One device: its activation, its lines, and what it said about itself.
 */
import type { Device } from '@tandem/api';
import { ButtonLink, Fact, Facts, Link, PageHead, Section } from '@tandem/ui';
import { getRouteApi } from '@tanstack/react-router';
import { Pencil } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { AccountBadge } from '../accounts/status';
import { useDate } from '../pages/date';
import { Item } from '../pages/item';
import { Remove } from '../pages/remove';
import { useTenant } from '../tenant';
import { ActivationSection } from './activation';
import { platformName } from './model';
import { Move } from './move';
import { DeviceBadge } from './status';

const route = getRouteApi('/t/$slug/shell/devices/$id');

export function DevicePage() {
  const { id } = route.useParams();
  return (
    <Item name="devices" id={id}>
      {(device) => <OneDevice key={device.id} device={device} />}
    </Item>
  );
}

function OneDevice({ device }: { device: Device }) {
  const { t } = useTranslation();
  const { path, mayChange } = useTenant();
  const date = useDate();
  return (
    <>
      <PageHead
        title={device.name}
        up={{ href: path('/devices'), label: t('devices.title') }}
        beside={<DeviceBadge device={device} />}
        actions={
          mayChange && (
            <>
              <ButtonLink href={path(`/devices/${device.id}/edit`)} variant="secondary">
                <Pencil aria-hidden />
                {t('edit')}
              </ButtonLink>
              <Move device={device} />
              <Remove name="devices" id={device.id} title={device.name} />
            </>
          )
        }
      />
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        {mayChange && <ActivationSection device={device} />}
        <div className="flex flex-col gap-6">
          <Section title={t('devices.lines')}>
            <ul className="flex flex-col divide-y divide-separator">
              {device.accounts.map((account) => (
                <li
                  key={account.id}
                  className="flex flex-wrap items-start justify-between gap-x-3 gap-y-1 py-3 first:pt-0 last:pb-0"
                >
                  <Link href={path(`/accounts/${account.id}`)} className="link min-w-0 flex-1 break-words">
                    {account.name}
                  </Link>
                  <AccountBadge account={account} />
                  <div className="w-full">
                    {account.extension && <p>{t('contacts.extension_is', { numbers: account.extension })}</p>}
                    <p className="verbatim text-xs text-muted">{account.aor}</p>
                  </div>
                </li>
              ))}
            </ul>
          </Section>
          <Section title={t('devices.details')}>
            <Facts>
              <Fact name={t('devices.contact')}>
                <Link href={path(`/contacts/${device.contact.id}`)} className="link">
                  {device.contact.name}
                </Link>
              </Fact>
              <Fact name={t('devices.app')}>{device.app_version}</Fact>
              <Fact name={t('devices.platform')}>{device.platform && platformName(device.platform)}</Fact>
              <Fact name={t('devices.activated_at')}>{device.activated_at && date(device.activated_at)}</Fact>
              <Fact name={t('devices.last_seen_at')}>{device.last_seen_at && date(device.last_seen_at)}</Fact>
            </Facts>
          </Section>
        </div>
      </div>
    </>
  );
}
