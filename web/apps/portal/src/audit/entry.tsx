/**
 * One entry of the log: a line that opens to what changed.
 */
import type { AuditEntry } from '@tandem/api';
import { Button, ButtonLink, FieldDiff } from '@tandem/ui';
import { ChevronRight, History, UserRound } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { useDate } from '../pages/date';
import { useTenant } from '../tenant';
import { changesOf, pageOf, wordsOf, type Chosen } from './model';

interface EntryProps {
  entry: AuditEntry;
  chosen: Chosen;
  onChoose: (chosen: Chosen) => void;
}

export function Entry({ entry, chosen, onChoose }: EntryProps) {
  const { t } = useTranslation();
  const date = useDate();
  return (
    <li>
      <details className="group">
        <summary className="focusable flex cursor-pointer list-none items-start gap-3 px-4 py-3 hover:bg-surface-secondary [&::-webkit-details-marker]:hidden">
          <ChevronRight
            className="mt-0.5 size-4 shrink-0 text-muted transition-transform group-open:rotate-90 motion-reduce:transition-none"
            aria-hidden
          />
          <span className="grid min-w-0 flex-1 gap-x-4 gap-y-0.5 text-sm sm:grid-cols-[minmax(0,2fr)_minmax(0,1fr)_auto]">
            <span className="min-w-0">
              <span className="block font-medium break-words">{entry.subject || t('audit.details')}</span>
              <span className="block text-xs text-muted">
                <Action action={entry.action} />
              </span>
            </span>
            <span className="min-w-0 break-words">{entry.actor}</span>
            <span className="whitespace-nowrap text-muted tabular-nums">{date(entry.at)}</span>
          </span>
        </summary>
        <Details entry={entry} chosen={chosen} onChoose={onChoose} />
      </details>
    </li>
  );
}

/** An action that a newer server knows is shown by its name. */
function Action({ action }: { action: string }) {
  const { t, i18n } = useTranslation();
  const { kind, verb } = wordsOf(action);
  if (!i18n.exists(`audit.kind.${kind}`) || !i18n.exists(`audit.verb.${verb}`)) {
    return <span className="font-mono">{action}</span>;
  }
  return `${t(`audit.kind.${kind as 'contact'}`)} · ${t(`audit.verb.${verb as 'create'}`)}`;
}

function Details({ entry, chosen, onChoose }: EntryProps) {
  const { t, i18n } = useTranslation();
  const { path } = useTenant();
  const changes = changesOf(entry, {
    yes: t('yes'),
    no: t('no'),
    field: (name) =>
      i18n.exists(`audit.field.${name}`) ? t(`audit.field.${name as 'name'}`) : name.replaceAll('_', ' '),
  });
  const page = pageOf(entry);
  const hidden = changes.some(({ after }) => after === '***');
  const about = [
    entry.sequence != null && t('audit.number', { number: entry.sequence }),
    entry.source && t('audit.address', { address: entry.source }),
    entry.detail,
  ].filter(Boolean);
  return (
    <div className="flex flex-col gap-3 px-4 pt-2 pb-4 sm:ps-11">
      {about.length > 0 && <p className="text-xs text-muted">{about.join(' · ')}</p>}
      {changes.length === 0 ? (
        <p className="text-sm text-muted">{t('audit.no_changes')}</p>
      ) : (
        <FieldDiff label={t('audit.changes', { subject: entry.subject })} changes={changes} />
      )}
      {hidden && <p className="text-xs text-muted">{t('audit.hidden')}</p>}
      <div className="flex flex-wrap gap-2">
        {page && (
          <ButtonLink href={path(page)} variant="secondary">
            {t('audit.open')}
          </ButtonLink>
        )}
        {entry.object && chosen.object !== entry.object && (
          <Button variant="ghost" onPress={() => onChoose({ object: entry.object ?? '' })}>
            <History aria-hidden />
            {t('audit.history')}
          </Button>
        )}
        {chosen.who !== entry.actor && (
          <Button variant="ghost" onPress={() => onChoose({ ...chosen, who: entry.actor })}>
            <UserRound aria-hidden />
            {t('audit.only_by', { who: entry.actor })}
          </Button>
        )}
      </div>
    </div>
  );
}
