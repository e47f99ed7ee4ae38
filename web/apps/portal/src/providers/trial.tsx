/**
 * The *Test* of a provider: registers for real, as the form says it now, and tells what happens.
 */
import { findRows, type Provider } from '@tandem/api';
import {
  Button,
  Notice,
  PasswordInput,
  RadioField,
  SearchChoice,
  Section,
  TextInput,
  type Choice,
} from '@tandem/ui';
import { FlaskConical } from 'lucide-react';
import { useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useErrorText } from '../forms/error-text';
import { Fields } from '../forms/form';
import { messagesOf } from '../forms/refused';
import type { SavedForm } from '../forms/saved-form';
import { useTenant } from '../tenant';
import { inputOf, type ProviderForm } from './model';
import { NO_ACCOUNT, trialInput } from './trial-model';
import { TrialSteps } from './trial-steps';
import { useTrial } from './use-trial';

const MOST_FOUND = 20;
const WAYS = ['saved', 'typed'] as const;
type Way = (typeof WAYS)[number];

interface TrialProps {
  form: SavedForm<ProviderForm>;
  /** As it is saved, if it is. */
  provider?: Provider;
}

export function ProviderTrial({ form: { form }, provider }: TrialProps) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const trial = useTrial(tenant.id, provider?.id);
  const [wanted, setWanted] = useState<Way>(provider?.accounts ? 'saved' : 'typed');
  const [account, setAccount] = useState<Choice>();
  const [typed, setTyped] = useState(NO_ACCOUNT);
  const errorText = useErrorText();
  // Of Tandem's own only the name can be changed, and that plays no part.
  const isChanged = !provider || (form.formState.isDirty && !provider.own);
  const way = isChanged ? 'typed' : wanted;
  const refused = trial.error === undefined ? undefined : messagesOf(trial.error, FIELDS);
  const wrong = (name: string) => errorText(refused?.fields.find((field) => field.name === name)?.message);
  const type = (change: Partial<typeof typed>) => setTyped({ ...typed, ...change });

  async function start() {
    if (isChanged && !(await form.trigger(PLACE, { shouldFocus: true }))) return;
    const who = way === 'saved' ? { id: account?.id ?? '', password: typed.password } : typed;
    trial.start(trialInput(who, isChanged ? inputOf(form.getValues()) : undefined));
  }

  return (
    <Section title={t('providers.trial.title')} lead={t('providers.trial.lead')}>
      <form
        noValidate
        className="flex flex-col gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        {provider && isChanged && <Notice tone="info">{t('providers.trial.unsaved')}</Notice>}
        {!isChanged && (
          <RadioField
            label={t('providers.trial.who')}
            value={way}
            onChange={(id) => setWanted(id === 'saved' ? 'saved' : 'typed')}
            choices={WAYS.map((id) => ({ id, label: t(`providers.trial.way.${id}`) }))}
          />
        )}
        {way === 'saved' ? (
          <Fields>
            <SavedAccount
              provider={provider?.id ?? ''}
              value={account}
              onChange={setAccount}
              error={wrong('account_id')}
            />
            <PasswordInput
              label={t('providers.trial.password')}
              description={t('providers.trial.password_saved')}
              value={typed.password}
              onChange={(password) => type({ password })}
              error={wrong('password')}
              autoComplete="off"
              optional
            />
          </Fields>
        ) : (
          <Fields>
            <TextInput
              label={t('providers.trial.username')}
              value={typed.username}
              onChange={(username) => type({ username })}
              error={wrong('username')}
              autoComplete="off"
              technical
            />
            <PasswordInput
              label={t('providers.trial.password')}
              description={t('providers.trial.password_help')}
              value={typed.password}
              onChange={(password) => type({ password })}
              error={wrong('password')}
              autoComplete="off"
              optional
            />
            <TextInput
              label={t('providers.trial.auth_username')}
              description={t('providers.trial.auth_username_help')}
              value={typed.auth_username}
              onChange={(auth_username) => type({ auth_username })}
              error={wrong('auth_username')}
              autoComplete="off"
              technical
              optional
            />
          </Fields>
        )}
        <div className="flex flex-wrap gap-2">
          <Button
            type="submit"
            variant="secondary"
            isDisabled={trial.running || (way === 'saved' && !account)}
          >
            <FlaskConical aria-hidden />
            {t('providers.trial.action')}
          </Button>
          {trial.running && (
            <Button variant="ghost" onPress={trial.stop}>
              {t('providers.trial.stop')}
            </Button>
          )}
        </div>
        {refused?.whole && (
          <Notice tone="danger" alert>
            {errorText(refused.whole)}
          </Notice>
        )}
      </form>
      {(trial.running || trial.events.length > 0) && (
        <TrialSteps
          events={trial.events}
          running={trial.running}
          server={provider && !isChanged ? provider.server : form.getValues('server')}
        />
      )}
    </Section>
  );
}

/** What the server may find wrong with the account. */
const FIELDS = ['account_id', 'username', 'auth_username', 'password'];

/** What says where the provider is. */
const PLACE = ['server', 'transport', 'port', 'outbound_proxy'] as const;

interface SavedAccountProps {
  provider: string;
  value: Choice | undefined;
  onChange: (choice: Choice | undefined) => void;
  error: string | undefined;
}

function SavedAccount({ provider, ...props }: SavedAccountProps) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const search = useCallback(
    async (text: string) => {
      const found = await findRows({ tenant: tenant.id, name: 'accounts' }, text, MOST_FOUND, { provider });
      return found.map(({ id, name, username }) => ({ id, label: name, detail: username }));
    },
    [tenant.id, provider],
  );
  return <SearchChoice label={t('providers.trial.account')} search={search} {...props} />;
}
