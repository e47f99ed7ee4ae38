/**
 * The mailbox: mails that did not leave the machine, because no server is set.
 */
import { useMailbox, useSession, type MailboxItem } from '@tandem/api';
import {
  ButtonLink,
  DataTable,
  EmptyState,
  Notice,
  PageHead,
  TableWaiting,
  type TableColumn,
} from '@tandem/ui';
import { Inbox } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { Failed } from '../pages/absent';
import { useDate } from '../pages/date';
import { useTenant } from '../tenant';

/** Administrators of the installation see the mails of everybody. */
export function useSeesAll(): boolean {
  return useSession().data?.user.installation_administrator ?? false;
}

export function MailboxPage() {
  const { t } = useTranslation();
  const date = useDate();
  const { tenant, path } = useTenant();
  const all = useSeesAll();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useMailbox(tenant.id, all);
  const columns: TableColumn<MailboxItem>[] = [
    { id: 'subject', title: t('mailbox.subject'), cell: ({ subject }) => subject },
    { id: 'to', title: t('mailbox.to'), cell: ({ to }) => to },
    { id: 'date', title: t('mailbox.date'), cell: (mail) => mail.date && date(mail.date) },
  ];
  return (
    <>
      <PageHead title={t('mailbox.title')} lead={t('mailbox.lead')} />
      <div className="mb-4">
        <Notice tone="warning">
          <p>{t('mailbox.stays')}</p>
          <p>{t('mailbox.how')}</p>
        </Notice>
      </div>
      {!data && error && <Failed error={error} onRetry={() => void refetch()} />}
      {!data && !error && <TableWaiting />}
      {data?.length === 0 && (
        <EmptyState
          icon={Inbox}
          title={t('mailbox.empty.title')}
          action={<ButtonLink href={path('/mail')}>{t('mail.title')}</ButtonLink>}
        >
          {t('mailbox.empty.text')}
        </EmptyState>
      )}
      {data && data.length > 0 && (
        <DataTable
          label={t('mailbox.title')}
          columns={columns}
          items={data}
          nameOf={({ subject }) => subject}
          href={({ id }) => path(`/mailbox/${id}`)}
          onMore={hasNextPage ? () => void fetchNextPage() : undefined}
          pending={isFetchingNextPage}
        />
      )}
    </>
  );
}
