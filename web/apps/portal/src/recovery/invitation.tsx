/**
 * Where an invitation leads: to a new access with a name and a password, or for who has one, to joining with it.
 */
import {
  isSignedOut,
  Refusal,
  sessionQuery,
  useAcceptInvitation,
  useInvitation,
  useJoin,
  type ShownInvitation,
} from '@tandem/api';
import { useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { Button, ButtonLink, Notice, toast, useTitle } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { requiredText, z } from '../forms/checks';
import { useErrorText } from '../forms/error-text';
import { Fields, Form, TextField } from '../forms/form';
import { messagesOf } from '../forms/refused';
import { useSavedForm } from '../forms/saved-form';
import { Failed } from '../pages/absent';
import { WaitingPage } from '../pages/waiting';
import { AgainForm } from '../session/again-form';
import { Welcome } from '../session/welcome';
import { IncompleteLink } from './incomplete';
import { NewPasswordFields, passwordFields, sameTwice } from './password-fields';
import { useLinkToken } from './token';

export function InvitationPage() {
  const token = useLinkToken();
  return token ? <Invited token={token} /> : <IncompleteLink />;
}

function Invited({ token }: { token: string }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useInvitation(token);
  useTitle(t('invitation.title'));
  if (data) {
    return (
      <Welcome
        title={t('invitation.heading', { tenant: data.tenant })}
        lead={t('invitation.lead', { name: data.invited_by, role: t(`team.role.${data.role}`) })}
        wide={!data.has_access}
      >
        {data.has_access ? (
          <Join token={token} invitation={data} />
        ) : (
          <Accept token={token} email={data.email} />
        )}
      </Welcome>
    );
  }
  if (!error) return <WaitingPage />;
  if (error instanceof Refusal && error.kind === 'link-refused') {
    return (
      <Welcome title={t('invitation.gone')}>
        <div className="flex flex-col gap-5">
          <Notice tone="warning">{t('invitation.gone_text')}</Notice>
          <ButtonLink href="/sign-in" variant="secondary">
            {t('link.to_sign_in')}
          </ButtonLink>
        </div>
      </Welcome>
    );
  }
  return (
    <Welcome title={t('invitation.title')}>
      <Failed error={error} onRetry={() => void refetch()} />
    </Welcome>
  );
}

const schema = z
  .object({ first_name: requiredText(), last_name: requiredText(), ...passwordFields() })
  .check(sameTwice());

function Accept({ token, email }: { token: string; email: string }) {
  const { t } = useTranslation();
  const router = useRouter();
  const accept = useAcceptInvitation();
  const form = useSavedForm({
    schema,
    values: { first_name: '', last_name: '', password: '', repeated: '' },
    save: async ({ first_name, last_name, password }) => {
      await accept.mutateAsync({ token, first_name, last_name, password });
      router.history.replace('/');
    },
  });
  return (
    <Form {...form} passing action={t('invitation.accept')} wide>
      <p>
        {t('invitation.sign_in_with')} <span className="font-medium break-all">{email}</span>
      </p>
      <Fields>
        <TextField name="first_name" label={t('invitation.first_name')} autoComplete="given-name" autoFocus />
        <TextField name="last_name" label={t('invitation.last_name')} autoComplete="family-name" />
      </Fields>
      <NewPasswordFields first />
    </Form>
  );
}

function Join({ token, invitation }: { token: string; invitation: ShownInvitation }) {
  const { t } = useTranslation();
  const router = useRouter();
  const join = useJoin();
  const session = useQuery({ ...sessionQuery, retry: false });
  const errorText = useErrorText();
  const refused = join.error && errorText(messagesOf(join.error, []).whole);
  if (session.isPending) return null;
  if (isSignedOut(session.error)) {
    // Here and not on the page to sign in: an address with the token in it would reach the server's log.
    return (
      <div className="flex flex-col gap-5">
        <p>{t('invitation.has_access')}</p>
        <AgainForm email={invitation.email} onDone={async () => void (await session.refetch())} />
      </div>
    );
  }
  return (
    <div className="flex flex-col gap-5">
      <p>{t('invitation.joins_as', { email: session.data?.user.email })}</p>
      <Button
        isPending={join.isPending}
        onPress={() =>
          join.mutate(token, {
            onSuccess: () => {
              toast.success(t('invitation.joined', { tenant: invitation.tenant }));
              router.history.replace('/');
            },
          })
        }
      >
        {t('invitation.accept')}
      </Button>
      {refused && (
        <Notice tone="danger" alert>
          {refused}
        </Notice>
      )}
    </div>
  );
}
