/**
 * The activation of a device on one sheet of paper.
 */
import { useActivation, useItem } from '@tandem/api';
import { Brand, Button, ButtonLink, Notice, useTitle } from '@tandem/ui';
import { getRouteApi } from '@tanstack/react-router';
import { Printer } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { useDate } from '../pages/date';
import { FailedPage } from '../pages/failed';
import { WaitingPage } from '../pages/waiting';
import { useTenant } from '../tenant';
import { Code, QrCode } from './activation';

const route = getRouteApi('/t/$slug/devices/$id/print');

export function PrintPage() {
  const { id } = route.useParams();
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const date = useDate();
  const { data: device, error: gone } = useItem({ tenant: tenant.id, name: 'devices' }, id);
  const { data: activation, error: refused } = useActivation(tenant.id, id);
  useTitle(device ? t('print.title', { name: device.name }) : 'Tandem');
  if ((!device && gone) || (!activation && refused)) return <FailedPage error={gone ?? refused} />;
  if (!device || !activation) return <WaitingPage />;
  return (
    <main className="mx-auto flex max-w-2xl flex-col gap-8 px-4 py-8 sm:px-8">
      <div className="no-print flex flex-wrap justify-between gap-2">
        <ButtonLink href={path(`/devices/${id}`)} variant="secondary">
          {t('print.back')}
        </ButtonLink>
        {activation.state === 'open' && (
          <Button onPress={() => window.print()}>
            <Printer aria-hidden />
            {t('print.print')}
          </Button>
        )}
      </div>
      {activation.state === 'open' ? (
        <article className="card flex flex-col gap-8 p-6 sm:p-10 print:border-0 print:p-0 print:shadow-none">
          <div className="flex items-center justify-between gap-4">
            <Brand />
            <p className="text-muted">{tenant.name}</p>
          </div>
          <div>
            <h1 className="text-2xl font-semibold tracking-tight">
              {t('print.heading', { name: device.name })}
            </h1>
            <p className="mt-1 text-muted">{t('print.for', { name: device.contact.name })}</p>
          </div>
          <div className="flex flex-wrap gap-8">
            <QrCode tenant={tenant.id} device={device} activation={activation} />
            <ol className="flex min-w-60 flex-1 list-decimal flex-col gap-3 ps-5">
              <li>{t('print.install')}</li>
              <li>{t('print.scan')}</li>
              <li>{t('print.type')}</li>
            </ol>
          </div>
          <dl className="flex flex-col gap-4">
            {activation.code && (
              <div>
                <dt className="text-xs text-muted">{t('activation.code')}</dt>
                <dd className="mt-1">
                  <Code code={activation.code} />
                </dd>
              </div>
            )}
            <div>
              <dt className="text-xs text-muted">{t('print.portal')}</dt>
              <dd className="verbatim">{activation.portal_url}</dd>
            </div>
          </dl>
          <p className="text-xs text-muted">{t('print.secret', { date: date(activation.expires_at) })}</p>
        </article>
      ) : (
        <Notice tone="info">{t('print.nothing')}</Notice>
      )}
    </main>
  );
}
