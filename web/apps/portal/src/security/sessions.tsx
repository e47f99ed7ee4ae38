/**
 * Where the person is signed in, and ending that.
 */
import { useEndOtherSessions, useEndSession, useOwnSessions, type OwnSession } from '@tandem/api';
import { Button, ConfirmDialog, DateTime, Section, StatusBadge, toast } from '@tandem/ui';
import { LogOut, Monitor } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { RefusedNotice } from '../forms/refused-notice';
import { Absent } from '../pages/absent';

export function SessionsSection() {
  const { t } = useTranslation();
  const { data, error, refetch } = useOwnSessions();
  const others = data?.some(({ current }) => !current) ?? false;
  return (
    <Section title={t('sessions.title')} lead={t('sessions.lead')} action={others && <EndOthers />}>
      {data && (
        <ul aria-label={t('sessions.title')} className="divide-y divide-separator">
          {data.map((session) => (
            <Row key={session.id} session={session} />
          ))}
        </ul>
      )}
      <Absent data={data} error={error} onRetry={() => void refetch()} rows={2} />
    </Section>
  );
}

function Row({ session }: { session: OwnSession }) {
  const { t } = useTranslation();
  const end = useEndSession();
  const browser = session.browser ?? t('sessions.unknown');
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 py-3 first:pt-0 last:pb-0">
      <Monitor className="size-5 shrink-0 text-muted" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-2 font-medium">
          {browser}
          {session.current && (
            <StatusBadge tone="good" plain>
              {t('sessions.current')}
            </StatusBadge>
          )}
        </p>
        <p className="text-xs text-muted">
          {session.address && <span className="verbatim">{session.address} · </span>}
          {t('sessions.since')} <DateTime at={session.created_at} /> · {t('sessions.seen')}{' '}
          <DateTime at={session.last_seen_at} as="ago" />
        </p>
      </div>
      {!session.current && (
        <Button
          variant="secondary"
          size="sm"
          isPending={end.isPending}
          aria-label={t('sessions.end_one', { browser })}
          onPress={() => end.mutate(session.id)}
        >
          {t('sessions.end')}
        </Button>
      )}
      <div className="w-full empty:hidden">
        <RefusedNotice error={end.error} />
      </div>
    </li>
  );
}

function EndOthers() {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const end = useEndOtherSessions();
  return (
    <>
      <Button variant="secondary" onPress={() => setAsking(true)}>
        <LogOut aria-hidden />
        {t('sessions.end_others')}
      </Button>
      <ConfirmDialog
        title={t('sessions.end_others_title')}
        open={asking}
        onClose={() => setAsking(false)}
        confirm={t('sessions.end_others')}
        pending={end.isPending}
        onConfirm={() =>
          end.mutate(undefined, {
            onSuccess: () => {
              setAsking(false);
              toast.success(t('sessions.others_ended'));
            },
          })
        }
      >
        <p>{t('sessions.end_others_text')}</p>
        <div className="mt-4 empty:hidden">
          <RefusedNotice error={end.error} />
        </div>
      </ConfirmDialog>
    </>
  );
}
