/**
 * What those see whom a person calls, inside the company and outside, and the person as text to be pasted elsewhere.
 */
import { useChoices, type Account, type Contact } from '@tandem/api';
import { CopyButton, Fact, Facts, Section } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { useTenant } from '../tenant';
import { callerIds, textOf } from './model';

/** The accounts on the person's devices; none while they are not known. */
function useAccounts(contact: Contact): readonly Account[] {
  const { tenant } = useTenant();
  return useChoices({ tenant: tenant.id, name: 'accounts' }, { contact: contact.id }).data ?? [];
}

export function CallerIds({ contact }: { contact: Contact }) {
  const { t } = useTranslation();
  const accounts = useAccounts(contact);
  const { internal, external } = callerIds(accounts);
  return (
    <Section title={t('contacts.caller_id.title')}>
      <Facts>
        <Fact name={t('contacts.caller_id.internal')}>
          {internal.join(', ') || t('contacts.caller_id.none_internal')}
          <Addresses accounts={accounts} own />
        </Fact>
        <Fact name={t('contacts.caller_id.external')}>
          {external.join(', ') || t('contacts.caller_id.none_external')}
          <Addresses accounts={accounts} own={false} />
        </Fact>
      </Facts>
    </Section>
  );
}

/** The same for machines. */
function Addresses({ accounts, own }: { accounts: readonly Account[]; own: boolean }) {
  const addresses = accounts.filter((account) => account.own === own).map(({ aor }) => aor);
  return addresses.map((aor) => (
    <span key={aor} className="verbatim block text-xs text-muted">
      {aor}
    </span>
  ));
}

export function CopyContact({ contact }: { contact: Contact }) {
  const { t } = useTranslation();
  const text = textOf(contact, useAccounts(contact), {
    internal: t('contacts.caller_id.internal'),
    external: t('contacts.caller_id.external'),
    email: t('contacts.email'),
    number: t('contacts.number'),
    label: (label) => t(`contacts.label.${label}`, { defaultValue: label }),
  });
  return <CopyButton text={text} label={t('contacts.copy')} alone />;
}
