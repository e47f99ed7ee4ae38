/**
 * One mail of the mailbox: as its reader sees it, as text, as it would go over the wire, and its parts.
 */
import { isNotFound, useMailboxMail } from '@tandem/api';
import { ButtonLink, EmptyState, Fact, Facts, PageHead, Placeholder, Section } from '@tandem/ui';
import { getRouteApi } from '@tanstack/react-router';
import { SearchX } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { Failed } from '../pages/absent';
import { useDate } from '../pages/date';
import { useTenant } from '../tenant';
import { MailFrame, Verbatim } from './frame';
import { useSeesAll } from './mailbox';
import { Views } from './views';

const route = getRouteApi('/t/$slug/shell/mailbox/$id');

export function MailboxMailPage() {
  const { id } = route.useParams();
  const { t, i18n } = useTranslation();
  const date = useDate();
  const { tenant, path } = useTenant();
  const { data: mail, error, refetch } = useMailboxMail(tenant.id, id, useSeesAll());
  if (isNotFound(error)) {
    return (
      <EmptyState
        icon={SearchX}
        title={t('gone.title')}
        action={<ButtonLink href={path('/mailbox')}>{t('mailbox.title')}</ButtonLink>}
      >
        {t('mailbox.gone')}
      </EmptyState>
    );
  }
  if (!mail && error) {
    return <Failed error={error} onRetry={() => void refetch()} />;
  }
  if (!mail) return <Placeholder rows={3} />;
  const { html } = mail;
  const bytes = new Intl.NumberFormat(i18n.language);
  return (
    <>
      <PageHead title={mail.subject} up={{ href: path('/mailbox'), label: t('mailbox.title') }} />
      <div className="flex max-w-4xl flex-col gap-6">
        <Section title={t('mailbox.details')}>
          <Facts>
            <Fact name={t('mailbox.from')}>{mail.from}</Fact>
            <Fact name={t('mailbox.to')}>{mail.to}</Fact>
            <Fact name={t('mailbox.date')}>{mail.date && date(mail.date)}</Fact>
            <Fact name={t('mailbox.attachments')}>
              {mail.attachments.length > 0 && (
                <ul>
                  {mail.attachments.map(({ name, content_type, bytes: size }) => (
                    <li key={name}>
                      {t('mailbox.attachment', { name, type: content_type, size: bytes.format(size) })}
                    </li>
                  ))}
                </ul>
              )}
            </Fact>
          </Facts>
        </Section>
        <Section title={t('mailbox.content')}>
          <Views
            label={t('mail.view')}
            views={[
              ...(html
                ? [
                    {
                      id: 'html',
                      title: t('mail.view_html'),
                      show: () => <MailFrame html={html} title={mail.subject} />,
                    },
                  ]
                : []),
              {
                id: 'text',
                title: t('mail.view_text'),
                show: () => <Verbatim text={mail.text} label={t('mail.view_text')} />,
              },
              {
                id: 'source',
                title: t('mail.view_source'),
                show: () => <Verbatim text={mail.source} label={t('mail.view_source')} />,
              },
            ]}
          />
        </Section>
      </div>
    </>
  );
}
