/**
 * Who may do what in the tenant: members, invitations, and whether administrators need a second factor.
 */
import {
  Refusal,
  useInvitations,
  useMembers,
  useRequireSecondFactor,
  useSession,
  useTenantSecurity,
} from '@tandem/api';
import { Button, Failure, Notice, PageHead, Placeholder, Section, SwitchField, toast } from '@tandem/ui';
import { UserPlus } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useErrorText } from '../forms/form';
import { messagesOf } from '../forms/refused';
import { useTenant } from '../tenant';
import { InvitationRow } from './invitation';
import { Invite } from './invite';
import { MemberRow } from './member';

export function TeamPage() {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const owner = tenant.role === 'owner';
  const [inviting, setInviting] = useState(false);
  return (
    <>
      <PageHead
        title={t('team.title')}
        lead={t(owner ? 'team.lead' : 'team.lead_others')}
        actions={
          owner && (
            <Button onPress={() => setInviting(true)}>
              <UserPlus aria-hidden />
              {t('team.invite')}
            </Button>
          )
        }
      />
      <div className="flex max-w-4xl flex-col gap-6">
        <Members owner={owner} />
        <Invitations owner={owner} />
        <SecondFactorRule owner={owner} />
      </div>
      {inviting && <Invite onClose={() => setInviting(false)} />}
    </>
  );
}

function Members({ owner }: { owner: boolean }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const self = useSession().data?.user.id;
  const { data, error, refetch } = useMembers(tenant.id);
  const owners = data?.filter(({ role }) => role === 'owner').length ?? 0;
  return (
    <Section title={t('team.members')}>
      {data && (
        <ul aria-label={t('team.members')} className="divide-y divide-separator">
          {data.map((member) => (
            <MemberRow
              key={member.user_id}
              member={member}
              self={member.user_id === self}
              mayChange={owner}
              lastOwner={member.role === 'owner' && owners === 1}
            />
          ))}
        </ul>
      )}
      <Absent data={data} error={error} onRetry={() => void refetch()} />
    </Section>
  );
}

/** Only where somebody is waited for. */
function Invitations({ owner }: { owner: boolean }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const { data } = useInvitations(tenant.id);
  if (!data || data.length === 0) return null;
  return (
    <Section title={t('team.invitations')} lead={t('team.invitations_lead')}>
      <ul aria-label={t('team.invitations')} className="divide-y divide-separator">
        {data.map((invitation) => (
          <InvitationRow key={invitation.id} invitation={invitation} mayChange={owner} />
        ))}
      </ul>
    </Section>
  );
}

function SecondFactorRule({ owner }: { owner: boolean }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const { data, error, refetch } = useTenantSecurity(tenant.id);
  const require = useRequireSecondFactor(tenant.id);
  const errorText = useErrorText();
  const refused = require.error && errorText(messagesOf(require.error, []).whole);
  const required = data?.second_factor_required ?? false;
  return (
    <Section title={t('team.security')}>
      {data && owner && (
        <SwitchField
          label={t('team.second_factor_required')}
          description={t('team.second_factor_help')}
          value={required}
          onChange={(value) =>
            require.mutate(value, {
              onSuccess: () => toast.success(t('saved', { name: t('team.security') })),
            })
          }
        />
      )}
      {data && !owner && <p>{t(required ? 'team.second_factor_is' : 'team.second_factor_is_not')}</p>}
      {refused && (
        <div className="mt-4">
          <Notice tone="danger" alert>
            {refused}
          </Notice>
        </div>
      )}
      <Absent data={data} error={error} onRetry={() => void refetch()} />
    </Section>
  );
}

interface AbsentProps {
  data: unknown;
  error: Error | null;
  onRetry: () => void;
}

/** In place of what is not there yet. */
function Absent({ data, error, onRetry }: AbsentProps) {
  if (data !== undefined) return null;
  if (!error) return <Placeholder rows={2} />;
  return <Failure detail={error instanceof Refusal ? error.message : undefined} onRetry={onRetry} />;
}
