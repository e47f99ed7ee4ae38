/**
 * Signing up: a company and its first owner. A link is mailed that confirms it.
 */
import { useSignUp, useSignUpOffer, type SignUpOffer } from '@tandem/api';
import { Link, Notice, Tick, useTitle } from '@tandem/ui';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { email, filled, optionalText, requiredText, z } from '../forms/checks';
import { Choose } from '../forms/choose';
import { Fields, Form, TextField, useField } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { FailedPage } from '../pages/failed';
import { NotFoundPage } from '../pages/not-found';
import { WaitingPage } from '../pages/waiting';
import { NewPasswordFields, passwordFields, sameTwice } from '../recovery/password-fields';
import { Welcome } from '../session/welcome';
import { countries, likelyCountry } from '../countries';
import { useSolution } from './puzzle';

const agreed = () => z.boolean().check(z.refine((value) => value, 'invalid.agree'));

const schema = z
  .object({
    first_name: requiredText(),
    last_name: requiredText(),
    company: optionalText(),
    email: email(),
    phone: requiredText(40).check(
      z.refine((text) => text === '' || /^\+[1-9][\d\s./()-]{6,30}$/.test(text), 'invalid.number'),
    ),
    country: z.string().check(z.minLength(1, 'invalid.choose')),
    ...passwordFields(),
    terms: agreed(),
    privacy: agreed(),
    news: z.boolean(),
  })
  .check(sameTwice());

export function SignUpPage() {
  const { data, error, isPending } = useSignUpOffer();
  const [mailedTo, setMailedTo] = useState<string>();
  if (isPending) return <WaitingPage />;
  if (!data) return <FailedPage error={error} />;
  if (!data.open) return <NotFoundPage />;
  if (mailedTo !== undefined) return <Mailed to={mailedTo} />;
  return <SignUp offer={data} onMailed={setMailedTo} />;
}

function SignUp({ offer, onMailed }: { offer: SignUpOffer; onMailed: (address: string) => void }) {
  const { t, i18n } = useTranslation();
  const signUp = useSignUp();
  const solution = useSolution();
  const form = useSavedForm({
    schema,
    values: {
      first_name: '',
      last_name: '',
      company: '',
      email: '',
      phone: '',
      country: likelyCountry(navigator.languages),
      password: '',
      repeated: '',
      terms: false,
      privacy: false,
      news: false,
    },
    save: async (values) => {
      const {
        first_name,
        last_name,
        email: address,
        phone,
        country,
        password,
        terms,
        privacy,
        news,
      } = values;
      const person = {
        first_name,
        last_name,
        company: filled(values.company),
        email: address,
        phone,
        country,
      };
      const chosen = { password, terms, privacy, news };
      await signUp.mutateAsync({ ...person, ...chosen, ...(await solution()) });
      onMailed(address);
    },
  });
  useTitle(t('sign_up.title'));
  return (
    <Welcome title={t('sign_up.title')} lead={t('sign_up.lead')} wide>
      <Form {...form} passing action={t('sign_up.action')} wide>
        <Fields>
          <TextField name="first_name" label={t('sign_up.first_name')} autoComplete="given-name" autoFocus />
          <TextField name="last_name" label={t('sign_up.last_name')} autoComplete="family-name" />
          <TextField name="company" label={t('sign_up.company')} autoComplete="organization" optional />
          <TextField name="email" type="email" label={t('sign_in.email')} autoComplete="username" technical />
          <TextField
            name="phone"
            type="tel"
            label={t('sign_up.phone')}
            placeholder="+49 30 1234567"
            autoComplete="tel"
          />
          <Choose name="country" label={t('sign_up.country')} choices={countries(i18n.language)} />
        </Fields>
        <NewPasswordFields first />
        <div className="flex flex-col gap-3">
          <Agree name="terms">
            {t('sign_up.terms')} <Text address={offer.terms}>{t('sign_up.terms_text')}</Text>
          </Agree>
          <Agree name="privacy">
            {t('sign_up.privacy')} <Text address={offer.privacy}>{t('sign_up.privacy_text')}</Text>
          </Agree>
          <Agree name="news">{t('sign_up.news')}</Agree>
        </div>
      </Form>
      <p className="mt-5 text-center text-sm">
        <Link href="/sign-in" className="link">
          {t('sign_up.known')}
        </Link>
      </p>
    </Welcome>
  );
}

/** A tick with words beside it, and what is wrong below. */
function Agree({ name, children }: { name: string; children: ReactNode }) {
  const { value, onChange, error } = useField(name);
  return (
    <div>
      <Tick value={value as boolean} onChange={onChange}>
        <span>{children}</span>
      </Tick>
      {error && (
        <p role="alert" className="mt-1 text-xs text-danger">
          {error}
        </p>
      )}
    </div>
  );
}

/** Opens beside the form, so that nothing typed is lost. */
function Text({ address, children }: { address: string | null | undefined; children: ReactNode }) {
  return (
    <a href={address ?? ''} target="_blank" rel="noreferrer" className="link">
      {children}
    </a>
  );
}

function Mailed({ to }: { to: string }) {
  const { t } = useTranslation();
  useTitle(t('sign_up.mailed_title'));
  return (
    <Welcome title={t('sign_up.mailed_title')}>
      <Notice tone="good" alert>
        <p>{t('sign_up.mailed', { to })}</p>
        <p className="mt-2">{t('sign_up.mailed_help')}</p>
      </Notice>
    </Welcome>
  );
}
