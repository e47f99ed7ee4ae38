/**
 * What was said in a call: one line a message, the whole of it when opened.
 */
import type { CallLadder } from '@tandem/api';
import { Section } from '@tandem/ui';
import { ArrowLeft, ArrowRight } from 'lucide-react';
import { useTranslation } from 'react-i18next';

export function Ladder({ ladder }: { ladder: CallLadder }) {
  const { t } = useTranslation();
  const first = ladder.messages[0] ? Date.parse(ladder.messages[0].at) : 0;
  const legs = [...new Set(ladder.messages.map(({ call_id }) => call_id))];
  // Two messages may be the same to the letter: a copy that was sent again.
  const numbered = ladder.messages.map((message, number) => ({ ...message, number }));
  return (
    <Section title={t('calls.ladder')} lead={t('calls.ladder_lead')}>
      <ol className="flex flex-col divide-y divide-separator">
        {numbered.map((message) => (
          <li key={message.number} className="py-2 first:pt-0 last:pb-0">
            <details>
              <summary className="focusable flex cursor-pointer flex-wrap items-center gap-x-3 gap-y-1 rounded-md">
                <span className="w-20 shrink-0 text-end text-xs text-muted tabular-nums">
                  {t('calls.ms', { ms: Date.parse(message.at) - first })}
                </span>
                {message.received ? (
                  <ArrowRight
                    className="size-4 shrink-0 text-success"
                    aria-label={t('calls.received')}
                    role="img"
                  />
                ) : (
                  <ArrowLeft
                    className="size-4 shrink-0 text-accent"
                    aria-label={t('calls.sent')}
                    role="img"
                  />
                )}
                <span className="text-xs text-muted">
                  {t('calls.leg', { number: legs.indexOf(message.call_id) + 1 })}
                </span>
                <span className="verbatim min-w-0 flex-1 text-sm break-all">{message.first_line}</span>
                <span className="text-xs text-muted">
                  {message.transport} {message.peer}
                </span>
              </summary>
              <pre className="verbatim mt-2 text-xs break-all whitespace-pre-wrap">{message.text}</pre>
            </details>
          </li>
        ))}
      </ol>
      {ladder.dropped > 0 && (
        <p className="mt-3 text-muted">{t('calls.dropped', { count: ladder.dropped })}</p>
      )}
    </Section>
  );
}
