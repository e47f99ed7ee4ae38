/**
 * Finding the provider of one's company, by its short name or by an e-mail address.
 */
import { findSignOn, Refusal, type Problem, type SignOnOffer } from '@tandem/api';
import { getRouteApi } from '@tanstack/react-router';
import { Link, useTitle } from '@tandem/ui';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { requiredText, z } from '../forms/checks';
import { Form, TextField } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { Welcome } from '../session/welcome';
import { GoThere } from './offer';

const route = getRouteApi('/sign-on');

const schema = z.object({ name: requiredText(254) });

interface Found {
  offer: SignOnOffer;
  /** What was typed, if it is an address. */
  email: string | undefined;
}

export function FindPage() {
  const { t } = useTranslation();
  const { next } = route.useSearch();
  const [found, setFound] = useState<Found>();
  const form = useSavedForm({
    schema,
    values: { name: '' },
    save: async ({ name }) => {
      const offer = await findSignOn(name);
      if (!offer) throw new Refusal(400, { title: '', status: 400, detail: 'sign_on.nobody' } as Problem);
      setFound({ offer, email: name.includes('@') ? name : undefined });
    },
  });
  useTitle(t('sign_on.find_title'));
  if (found) return <GoThere {...found} next={next} onBack={() => setFound(undefined)} />;
  return (
    <Welcome title={t('sign_on.find_title')} lead={t('sign_on.find_lead')}>
      <Form {...form} passing action={t('sign_on.find')} wide>
        <TextField
          name="name"
          label={t('sign_on.name_or_email')}
          autoComplete="username"
          autoFocus
          technical
        />
      </Form>
      <p className="mt-5 text-center text-sm">
        <Link href="/sign-in" className="link">
          {t('sign_on.by_password')}
        </Link>
      </p>
    </Welcome>
  );
}
