/**
 * What firewalls and providers must let through, made from what runs now, to be read and to be taken along.
 */
import { useAddresses, type AddressHint, type AddressRule } from '@tandem/api';
import { CodeBlock, Notice, PageHead, Placeholder, Section, StatusBadge } from '@tandem/ui';
import { Lock } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { Failed } from '../pages/absent';
import { useTenant } from '../tenant';
import { csvOf, groupsOf, otherAddresses, portsOf, textOf, type Words } from './model';

export function AddressesPage() {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const { data, error, refetch } = useAddresses(tenant.id);
  return (
    <>
      <PageHead title={t('addresses.title')} lead={t('addresses.lead')} />
      {!data && error && <Failed error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Placeholder rows={8} />}
      {data && (
        <div className="flex max-w-4xl flex-col gap-6">
          {data.hints.length > 0 && <Hints hints={data.hints} />}
          {groupsOf(data.rules).map(({ group, rules }) => (
            <Section
              key={group}
              title={t(`addresses.group.${group}`)}
              lead={t(`addresses.group_lead.${group}`)}
            >
              <ul className="flex flex-col divide-y divide-separator">
                {rules.map((rule) => (
                  <Rule key={keyOf(rule)} rule={rule} />
                ))}
              </ul>
            </Section>
          ))}
          <Section title={t('addresses.translation')}>
            <div className="flex flex-col gap-3">
              <p>{t('addresses.translation_server')}</p>
              <p>{t('addresses.translation_phones')}</p>
              <p>{t('addresses.translation_provider')}</p>
            </div>
          </Section>
          <TakeAlong rules={data.rules} />
        </div>
      )}
    </>
  );
}

function Hints({ hints }: { hints: AddressHint[] }) {
  const { t } = useTranslation();
  return (
    <div className="flex flex-col gap-2">
      {hints.map(({ kind, address }) => (
        <Notice key={`${kind} ${address}`} tone="warning">
          {t(`addresses.hint.${kind}`, { address })}
        </Notice>
      ))}
    </div>
  );
}

function Rule({ rule }: { rule: AddressRule }) {
  const { t } = useTranslation();
  const { purpose, from, host } = useWords()(rule);
  const others = otherAddresses(rule);
  return (
    <li className="grid gap-x-6 gap-y-2 py-4 first:pt-0 last:pb-0 sm:grid-cols-[5fr_5fr_3fr]">
      <div className="min-w-0">
        <p className="font-medium break-words">{purpose}</p>
        <p className="text-xs text-muted">{t(`addresses.help.${rule.purpose}`)}</p>
      </div>
      <div className="min-w-0">
        <p className="text-xs text-muted">{t('addresses.way', { from })}</p>
        <p className={rule.host ? 'verbatim break-all' : ''}>{host}</p>
        {others.length > 0 && <p className="verbatim text-xs break-all text-muted">{others.join(', ')}</p>}
        {rule.host && (rule.addresses ?? []).length === 0 && (
          <p className="text-xs text-warning-soft-foreground">{t('addresses.not_found')}</p>
        )}
        {rule.may_move && <p className="text-xs text-muted">{t('addresses.may_move')}</p>}
      </div>
      <div className="flex flex-wrap content-start items-center gap-2">
        <span className="verbatim">{portsOf(rule)}</span>
        {rule.encrypted && (
          <Lock className="size-3.5 text-success" role="img" aria-label={t('addresses.encrypted')} />
        )}
        {rule.optional && (
          <StatusBadge tone="idle" plain>
            {t('addresses.unused')}
          </StatusBadge>
        )}
      </div>
    </li>
  );
}

function TakeAlong({ rules }: { rules: AddressRule[] }) {
  const { t } = useTranslation();
  const words = useWords();
  const head = COLUMNS.map((name) => t(`addresses.column.${name}`));
  return (
    <Section title={t('addresses.take_along')} lead={t('addresses.take_along_lead')}>
      <div className="flex flex-col gap-4">
        <CodeBlock
          label={t('addresses.text')}
          copyLabel={t('addresses.copy_text')}
          text={textOf(rules, words)}
        />
        <CodeBlock
          label={t('addresses.csv')}
          copyLabel={t('addresses.copy_csv')}
          text={csvOf(rules, head, words)}
        />
      </div>
    </Section>
  );
}

const COLUMNS = [
  'for',
  'from',
  'to',
  'host',
  'addresses',
  'protocol',
  'ports',
  'encrypted',
  'needed',
] as const;

/** A rule in the words of the reader's language. */
function useWords() {
  const { t } = useTranslation();
  return (rule: AddressRule): Words => {
    const title = t(`addresses.purpose.${rule.purpose}`);
    return {
      purpose: rule.provider ? `${title} ${rule.provider}` : title,
      from: t(`addresses.party.${rule.from}`),
      to: t(`addresses.party.${rule.to}`),
      host: rule.host ?? t('addresses.anywhere'),
      encrypted: t(rule.encrypted ? 'yes' : 'no'),
      needed: t(rule.optional ? 'addresses.unused' : 'addresses.needed'),
    };
  };
}

function keyOf({ purpose, provider, host, protocol, first_port }: AddressRule): string {
  return [purpose, provider, host, protocol, first_port].join(' ');
}
