/**
 * The mails of the tenant and what became of each.
 */
import { useMails, type Mail } from '@tandem/api';
import {
  Button,
  ButtonLink,
  Dialog,
  Fact,
  Facts,
  Notice,
  StatusBadge,
  type TableColumn,
  type TableFilter,
} from '@tandem/ui';
import { Mails, Settings } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ListFrame } from '../lists/list-frame';
import { useListAddress } from '../lists/state';
import { useDate } from '../pages/date';
import { Nothing } from '../pages/nothing';
import { useSentence } from '../refusals/use-sentence';
import { useTenant } from '../tenant';
import { KINDS, STATE_TONES, STATES } from './model';

export function MailsPage() {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const address = useListAddress(['state', 'kind']);
  const { state, start } = address;
  const rows = useMails(tenant.id, { ...state, after: start?.after });
  const [open, setOpen] = useState<Mail>();
  const columns = useColumns();
  const filters: TableFilter[] = [
    {
      name: 'state',
      title: t('mails.state_title'),
      choices: STATES.map((id) => ({ id, label: t(`mails.state.${id}`) })),
    },
    {
      name: 'kind',
      title: t('mails.kind_title'),
      choices: KINDS.map((id) => ({ id, label: t(`mail.kind.${id}`) })),
    },
  ];
  return (
    <>
      <ListFrame<Mail>
        list="mails"
        icon={Mails}
        texts={{
          title: t('mails.title'),
          lead: t('mails.lead'),
          search: t('mails.search'),
          emptyTitle: t('mails.empty.title'),
          emptyText: t('mails.empty.text'),
        }}
        address={address}
        rows={rows}
        columns={columns}
        filters={filters}
        nameOf={({ kind, recipient }) => t('mails.to', { kind: t(`mail.kind.${kind}`), recipient })}
        onOpen={setOpen}
        create={
          <ButtonLink href={path('/mail')} variant="secondary">
            <Settings aria-hidden />
            {t('mails.settings')}
          </ButtonLink>
        }
      />
      {open && <MailDialog mail={open} onClose={() => setOpen(undefined)} />}
    </>
  );
}

function useColumns(): TableColumn<Mail>[] {
  const { t } = useTranslation();
  const date = useDate();
  return [
    {
      id: 'recipient',
      title: t('mails.recipient'),
      share: 2,
      cell: ({ recipient }) => <span className="font-medium break-all">{recipient}</span>,
    },
    { id: 'kind', title: t('mails.kind_title'), cell: ({ kind }) => t(`mail.kind.${kind}`) },
    { id: 'state', title: t('mails.state_title'), cell: (mail) => <StateBadge mail={mail} /> },
    {
      id: 'created',
      title: t('mails.created_at'),
      sort: 'created_at',
      cell: ({ created_at }) => <span className="tabular-nums">{date(created_at)}</span>,
    },
    {
      id: 'reason',
      title: t('mails.reason'),
      from: 'lg',
      share: 2,
      cell: ({ reason }) => (reason ? t(`mail.reason.${reason}`) : <Nothing />),
    },
  ];
}

function StateBadge({ mail }: { mail: Mail }) {
  const { t } = useTranslation();
  return <StatusBadge tone={STATE_TONES[mail.state]}>{t(`mails.state.${mail.state}`)}</StatusBadge>;
}

/** One mail with everything that is known of it. What it says is known to nobody but who gets it. */
function MailDialog({ mail, onClose }: { mail: Mail; onClose: () => void }) {
  const { t } = useTranslation(['portal', 'ui']);
  const date = useDate();
  const sentence = useSentence();
  const { kind, recipient, reason, detail, attempts, created_at, next_attempt_at, ended_at } = mail;
  return (
    <Dialog
      title={t(`mail.kind.${kind}`)}
      open
      onClose={onClose}
      footer={
        <Button variant="secondary" onPress={onClose} autoFocus>
          {t('ui:close')}
        </Button>
      }
    >
      <div className="flex flex-col gap-4 text-foreground">
        <StateBadge mail={mail} />
        {reason && (
          <Notice tone={mail.state === 'failed' ? 'danger' : 'warning'}>{t(`mail.reason.${reason}`)}</Notice>
        )}
        <Facts>
          <Fact name={t('mails.recipient')}>{recipient}</Fact>
          <Fact name={t('mails.created_at')}>{date(created_at)}</Fact>
          <Fact name={t('mails.ended_at')}>{ended_at && date(ended_at)}</Fact>
          <Fact name={t('mails.next_attempt_at')}>{next_attempt_at && date(next_attempt_at)}</Fact>
          <Fact name={t('mails.attempts')}>{attempts}</Fact>
          <Fact name={t('mails.said')}>{detail && <span className="verbatim">{sentence(detail)}</span>}</Fact>
        </Facts>
      </div>
    </Dialog>
  );
}
