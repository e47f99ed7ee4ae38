/**
 * One call: when, who, what became of it and why, its other parts, and what was said if the server keeps that.
 */
import { isNotFound, useCall, useEraseCall, type Call, type CallDetail, type CallParty } from '@tandem/api';
import {
  Button,
  ButtonLink,
  ConfirmDialog,
  EmptyState,
  Fact,
  Facts,
  Link,
  Notice,
  PageHead,
  Placeholder,
  Section,
  toast,
} from '@tandem/ui';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { SearchX, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useErrorText } from '../forms/error-text';
import { messagesOf } from '../forms/refused';
import { Failed } from '../pages/absent';
import { useDate } from '../pages/date';
import { useTenant } from '../tenant';
import { Ladder } from './ladder';
import { clock, partyName, rangFor } from './model';
import { OutcomeBadge, useReason, useTitleOf } from './outcome';

const route = getRouteApi('/t/$slug/shell/calls/$id');

export function CallPage() {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const { id } = route.useParams();
  const { data, error, refetch } = useCall(tenant.id, id);
  if (data) return <OneCall key={id} detail={data} />;
  if (error && isNotFound(error)) {
    return (
      <EmptyState
        icon={SearchX}
        title={t('gone.title')}
        action={<ButtonLink href={path('/calls')}>{t('calls.title')}</ButtonLink>}
      >
        {t('calls.gone')}
      </EmptyState>
    );
  }
  if (error) {
    return <Failed error={error} onRetry={() => void refetch()} />;
  }
  return <Placeholder />;
}

function OneCall({ detail }: { detail: CallDetail }) {
  const { t } = useTranslation();
  const { path, mayChange } = useTenant();
  const { call, chain, ladder } = detail;
  const reason = useReason();
  const title = useTitleOf()(call);
  return (
    <>
      <PageHead
        title={title}
        lead={reason(call)}
        up={{ href: path('/calls'), label: t('calls.title') }}
        beside={<OutcomeBadge call={call} />}
        actions={mayChange && call.outcome !== 'ongoing' && <Erase call={call} title={title} />}
      />
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
        <div className="flex flex-col gap-6">
          <Section title={t('calls.parties')}>
            <div className="grid gap-6 sm:grid-cols-2">
              <Party title={t('calls.caller')} party={call.caller} />
              <Party title={t('calls.callee')} party={call.callee} dialled={call.dialled} />
            </div>
          </Section>
          {chain.length > 1 && <Chain call={call} chain={chain} />}
          {ladder && <Ladder ladder={ladder} />}
        </div>
        <Times call={call} />
      </div>
    </>
  );
}

function Times({ call }: { call: Call }) {
  const { t } = useTranslation();
  const date = useDate();
  const rang = rangFor(call);
  const talked = call.answered_at ? (call.duration_secs ?? undefined) : undefined;
  return (
    <Section title={t('calls.times')}>
      <Facts>
        <Fact name={t('calls.started')}>{date(call.started_at)}</Fact>
        <Fact name={t('calls.answered_at')}>{call.answered_at && date(call.answered_at)}</Fact>
        <Fact name={t('calls.ended_at')}>{call.ended_at && date(call.ended_at)}</Fact>
        <Fact name={t('calls.rang')}>{rang !== undefined && clock(rang)}</Fact>
        <Fact name={t('calls.duration')}>{talked !== undefined && clock(talked)}</Fact>
        <Fact name={t('calls.direction_title')}>{t(`calls.direction.${call.direction}`)}</Fact>
        <Fact name={t('calls.status')}>{call.status}</Fact>
        <Fact name={t('calls.came_by')}>
          {call.link && t(`calls.link.${call.link.kind}`, { by: call.link.by.replace(/^sip:/, '') })}
        </Fact>
      </Facts>
    </Section>
  );
}

interface PartyProps {
  title: string;
  party: CallParty;
  dialled?: string;
}

function Party({ title, party, dialled }: PartyProps) {
  const { t } = useTranslation();
  const { path } = useTenant();
  const { contact, account, device } = party;
  const link = (place: string, { id, name }: { id: string; name: string }) => (
    <Link href={path(`/${place}/${id}`)} className="link">
      {name}
    </Link>
  );
  return (
    <div>
      <h3 className="mb-3 text-sm font-semibold">{title}</h3>
      <Facts>
        {partyName(party) === undefined && <Fact name={t('calls.number')}>{t('calls.withheld')}</Fact>}
        <Fact name={t('calls.person')}>{contact && link('contacts', contact)}</Fact>
        <Fact name={t('calls.name')}>{party.name}</Fact>
        <Fact name={t('calls.number')}>{party.number}</Fact>
        <Fact name={t('calls.dialled')}>{dialled !== party.number && dialled}</Fact>
        <Fact name={t('calls.account')}>{account && link('accounts', account)}</Fact>
        <Fact name={t('calls.device')}>{device && link('devices', device)}</Fact>
        <Fact name={t('calls.address')}>
          {party.address && <span className="verbatim">{party.address}</span>}
        </Fact>
      </Facts>
      {contact && (
        <p className="mt-3">
          <Link className="link" href={path(`/calls?contact=${contact.id}`)}>
            {t('calls.all_of', { name: contact.name })}
          </Link>
        </p>
      )}
    </div>
  );
}

function Chain({ call, chain }: { call: Call; chain: Call[] }) {
  const { t } = useTranslation();
  const { path } = useTenant();
  const titleOf = useTitleOf();
  const reason = useReason();
  return (
    <Section title={t('calls.chain')} lead={t('calls.chain_lead')}>
      <ol className="flex flex-col divide-y divide-separator">
        {chain.map((part) => (
          <li
            key={part.id}
            className="flex flex-wrap items-center justify-between gap-2 py-3 first:pt-0 last:pb-0"
          >
            <div className="min-w-0">
              {part.id === call.id ? (
                <span className="font-medium" aria-current="true">
                  {titleOf(part)}
                </span>
              ) : (
                <Link href={path(`/calls/${part.id}`)} className="link">
                  {titleOf(part)}
                </Link>
              )}
              <p className="text-xs text-muted">{reason(part)}</p>
            </div>
            <OutcomeBadge call={part} />
          </li>
        ))}
      </ol>
    </Section>
  );
}

function Erase({ call, title }: { call: Call; title: string }) {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const router = useRouter();
  const errorText = useErrorText();
  const erase = useEraseCall(tenant.id);
  const [asking, setAsking] = useState(false);
  const refused = erase.error && errorText(messagesOf(erase.error, []).whole);
  function confirm() {
    erase.mutate(call.id, {
      onSuccess: () => {
        setAsking(false);
        toast.success(t('remove.done', { title }));
        router.history.push(path('/calls'));
      },
    });
  }
  return (
    <>
      <Button variant="danger-soft" onPress={() => setAsking(true)}>
        <Trash2 aria-hidden />
        {t('remove.action')}
      </Button>
      <ConfirmDialog
        title={t('remove.title', { title })}
        open={asking}
        onClose={() => setAsking(false)}
        confirm={t('remove.action')}
        onConfirm={confirm}
        pending={erase.isPending}
      >
        <p>{t('calls.erase')}</p>
        {refused && (
          <Notice tone="danger" alert>
            {refused}
          </Notice>
        )}
      </ConfirmDialog>
    </>
  );
}
