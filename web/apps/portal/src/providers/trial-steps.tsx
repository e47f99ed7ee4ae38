/**
 * What happens in a trial, in words, with the messages for whoever wants to read them.
 */
import type { ProviderTestEvent } from '@tandem/api';
import { Advanced, Notice, Spinner } from '@tandem/ui';
import { ArrowLeft, ArrowRight, CheckCircle2, CircleDot, XCircle } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { endOf, isForeign, isGood, messagesOf, realmOf, stepsOf, type EventOf } from './trial-model';

interface TrialStepsProps {
  events: ProviderTestEvent[];
  running: boolean;
  /** The domain that was tried. */
  server: string;
}

export function TrialSteps({ events, running, server }: TrialStepsProps) {
  const { t } = useTranslation();
  const end = endOf(events);
  const messages = messagesOf(events);
  // Two steps may be the same to the letter: a server that is tried again.
  const steps = stepsOf(events).map((event, number) => ({ event, number }));
  return (
    <div className="mt-5 flex flex-col gap-4">
      <div role="log" aria-label={t('providers.trial.steps')}>
        <ol className="flex flex-col gap-2">
          {steps.map(({ event, number }) => (
            <li key={number} className="flex items-start gap-2.5">
              <StepIcon event={event} />
              <span className="min-w-0 flex-1 break-words">
                <StepText event={event} />
              </span>
              <span className="shrink-0 text-xs text-muted tabular-nums">
                {t('providers.trial.ms', { ms: event.after_ms })}
              </span>
            </li>
          ))}
          {running && (
            <li className="flex items-center gap-2.5 text-muted">
              <Spinner size="sm" color="current" aria-hidden />
              {t('providers.trial.running')}
            </li>
          )}
        </ol>
      </div>
      {end && <End end={end} realm={realmOf(events)} server={server} />}
      {!end && !running && (
        <Notice tone="warning" alert>
          {t('providers.trial.broken_off')}
        </Notice>
      )}
      {messages.length > 0 && !running && (
        <Advanced title={t('providers.trial.messages')} wrong={false}>
          <Messages messages={messages} />
        </Advanced>
      )}
    </div>
  );
}

const ICON = 'mt-0.5 size-4 shrink-0';

function StepIcon({ event: { step } }: { event: ProviderTestEvent }) {
  if (step === 'secured' || step === 'registered') {
    return <CheckCircle2 className={`${ICON} text-success`} aria-hidden />;
  }
  if (step === 'untrusted' || step === 'unreachable') {
    return <XCircle className={`${ICON} text-danger`} aria-hidden />;
  }
  return <CircleDot className={`${ICON} text-muted`} aria-hidden />;
}

function StepText({ event }: { event: ProviderTestEvent }) {
  const { t } = useTranslation();
  switch (event.step) {
    case 'looking_up':
      return t('providers.trial.step.looking_up', { host: event.host });
    case 'found':
      return <Found event={event} />;
    case 'trying':
      return t('providers.trial.step.trying', {
        address: event.address,
        transport: event.transport.toUpperCase(),
      });
    case 'challenged':
      return t('providers.trial.step.challenged', {
        realm: event.realm,
        algorithms: event.algorithms.join(', '),
      });
    case 'registered':
      return t('providers.trial.step.registered', { secs: event.expires_secs });
    case 'secured':
    case 'untrusted':
    case 'unreachable':
      return t(`providers.trial.step.${event.step}`, { address: event.address });
    default:
      return null;
  }
}

function Found({ event }: { event: EventOf<'found'> }) {
  const { t } = useTranslation();
  const servers = event.servers.map(({ address, transport }) => `${address} (${transport.toUpperCase()})`);
  return (
    <>
      {servers.length > 0
        ? t('providers.trial.step.found', { servers: servers.join(', ') })
        : t('providers.trial.step.found_none')}
      {event.forbidden > 0 && (
        <span className="block text-xs text-muted">
          {t('providers.trial.step.found_forbidden', { count: event.forbidden })}
        </span>
      )}
    </>
  );
}

interface EndProps {
  end: EventOf<'ended'>;
  realm: string | undefined;
  server: string;
}

function End({ end: { result, status }, realm, server }: EndProps) {
  const { t } = useTranslation();
  const foreign = result === 'wrong_password' && realm !== undefined && isForeign(realm, server);
  return (
    <Notice tone={isGood(result) ? 'good' : 'danger'} alert>
      <p className="font-medium">
        {t(`providers.trial.result.${result}`)}
        {!isGood(result) && status != null && ` (SIP ${status})`}
      </p>
      <p>{t(`providers.trial.advice.${result}`)}</p>
      {foreign && <p>{t('providers.trial.foreign_realm', { realm, server })}</p>}
    </Notice>
  );
}

function Messages({ messages }: { messages: EventOf<'message'>[] }) {
  const { t } = useTranslation();
  const numbered = messages.map((message, number) => ({ ...message, number }));
  return (
    <>
      <p className="mb-3 text-xs text-muted">{t('providers.trial.messages_lead')}</p>
      <ol className="flex flex-col divide-y divide-separator">
        {numbered.map(({ number, received, after_ms, first_line, text, address, transport }) => (
          <li key={number} className="py-2 first:pt-0 last:pb-0">
            <details>
              <summary className="focusable flex cursor-pointer flex-wrap items-center gap-x-3 gap-y-1 rounded-md">
                <span className="w-16 shrink-0 text-end text-xs text-muted tabular-nums">
                  {t('providers.trial.ms', { ms: after_ms })}
                </span>
                {received ? (
                  <ArrowLeft
                    className="size-4 shrink-0 text-success"
                    role="img"
                    aria-label={t('providers.trial.received')}
                  />
                ) : (
                  <ArrowRight
                    className="size-4 shrink-0 text-accent"
                    role="img"
                    aria-label={t('providers.trial.sent')}
                  />
                )}
                <span className="verbatim min-w-0 flex-1 text-sm break-all">{first_line}</span>
                <span className="text-xs text-muted">
                  {transport.toUpperCase()} {address}
                </span>
              </summary>
              <pre className="verbatim mt-2 text-xs break-all whitespace-pre-wrap">{text}</pre>
            </details>
          </li>
        ))}
      </ol>
    </>
  );
}
