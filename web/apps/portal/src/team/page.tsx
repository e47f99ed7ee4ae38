/**
 * Who may do what in the tenant: members, invitations, and whether administrators need a second factor.
 */
import {
  useInvitations,
  useMembers,
  useOwnerCount,
  useRequireSecondFactor,
  useSession,
  useTenantSecurity,
  type MemberRow,
} from '@tandem/api';
import {
  Button,
  Section,
  StatusBadge,
  SwitchField,
  toast,
  type TableColumn,
  type TableFilter,
} from '@tandem/ui';
import { UserCog, UserPlus } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { RefusedNotice } from '../forms/refused-notice';
import { ListFrame } from '../lists/list-frame';
import { useListAddress } from '../lists/state';
import { Absent } from '../pages/absent';
import { useTenant } from '../tenant';
import { InvitationRow } from './invitation';
import { Invite } from './invite';
import { MemberActions, nameOf, Person } from './member';
import { ROLES } from './roles';

export function TeamPage() {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const owner = tenant.role === 'owner';
  const [inviting, setInviting] = useState(false);
  const address = useListAddress(['role']);
  const { state, start } = address;
  const rows = useMembers(tenant.id, { ...state, after: start?.after });
  const columns = useColumns(owner);
  const filters: TableFilter[] = [
    {
      name: 'role',
      title: t('team.role_label'),
      choices: ROLES.map((id) => ({ id, label: t(`team.role.${id}`) })),
    },
  ];
  return (
    <>
      <ListFrame<MemberRow>
        list="members"
        icon={UserCog}
        texts={{
          title: t('team.title'),
          lead: t(owner ? 'team.lead' : 'team.lead_others'),
          search: t('team.search'),
          emptyTitle: t('team.title'),
          emptyText: t('team.lead'),
        }}
        address={address}
        rows={rows}
        columns={columns}
        filters={filters}
        nameOf={nameOf}
        create={
          owner && (
            <Button onPress={() => setInviting(true)}>
              <UserPlus aria-hidden />
              {t('team.invite')}
            </Button>
          )
        }
      />
      <div className="mt-8 flex flex-col gap-6">
        <Invitations owner={owner} />
        <SecondFactorRule owner={owner} />
      </div>
      {inviting && <Invite onClose={() => setInviting(false)} />}
    </>
  );
}

function useColumns(owner: boolean): TableColumn<MemberRow>[] {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const self = useSession().data?.user.id;
  const owners = useOwnerCount(tenant.id).data;
  const isLastOwner = ({ role }: MemberRow) => role === 'owner' && owners === 1;
  const columns: TableColumn<MemberRow>[] = [
    {
      id: 'name',
      title: t('team.name'),
      share: 2,
      cell: (member) => (
        <Person member={member} self={member.user_id === self} lastOwner={owner && isLastOwner(member)} />
      ),
    },
    {
      id: 'role',
      title: t('team.role_label'),
      cell: ({ role }) => (
        <StatusBadge tone="idle" plain>
          {t(`team.role.${role}`)}
        </StatusBadge>
      ),
    },
    {
      id: 'second_factor',
      title: t('second_factor.title'),
      cell: ({ second_factor }) => (
        <StatusBadge tone={second_factor ? 'good' : 'idle'}>
          {t(second_factor ? 'second_factor.on' : 'second_factor.off')}
        </StatusBadge>
      ),
    },
  ];
  if (!owner) return columns;
  return [
    ...columns,
    {
      id: 'actions',
      title: t('team.actions'),
      plain: true,
      cell: (member) =>
        // Until it is known how many owners there are nothing is offered that might be refused.
        owners !== undefined &&
        !isLastOwner(member) && <MemberActions member={member} self={member.user_id === self} />,
    },
  ];
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
      <div className="mt-4 empty:hidden">
        <RefusedNotice error={require.error} />
      </div>
      <Absent data={data} error={error} onRetry={() => void refetch()} rows={2} />
    </Section>
  );
}
