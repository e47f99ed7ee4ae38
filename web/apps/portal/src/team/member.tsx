/**
 * A member: who, what they may do, and what an owner can change about it.
 */
import { useRemoveMember, useResetSecondFactor, useSetRole, type Member, type Role } from '@tandem/api';
import { Button, ChoiceField, ConfirmDialog, Notice, StatusBadge, toast } from '@tandem/ui';
import { ShieldOff, UserMinus } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useErrorText } from '../forms/form';
import { messagesOf } from '../forms/refused';
import { useTenant } from '../tenant';
import { ROLES } from './roles';

interface MemberRowProps {
  member: Member;
  /** The person who looks. */
  self: boolean;
  mayChange: boolean;
  /** Without them nobody could decide who is a member. */
  lastOwner: boolean;
}

export function MemberRow({ member, self, mayChange, lastOwner }: MemberRowProps) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const setRole = useSetRole(tenant.id);
  const name = `${member.first_name} ${member.last_name}`.trim() || member.email;
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-3 py-4 first:pt-0 last:pb-0">
      <div className="min-w-0 flex-1 basis-56">
        <p className="flex flex-wrap items-center gap-2 font-medium">
          {name}
          {self && (
            <StatusBadge tone="info" plain>
              {t('team.you')}
            </StatusBadge>
          )}
          {member.second_factor && (
            <StatusBadge tone="good" plain>
              {t('second_factor.title')}
            </StatusBadge>
          )}
        </p>
        <p className="text-xs break-all text-muted">{member.email}</p>
        {lastOwner && mayChange && <p className="mt-1 text-xs text-muted">{t('team.last_owner')}</p>}
      </div>
      {mayChange && !lastOwner ? (
        <div className="w-44">
          <ChoiceField
            label={t('team.role_of', { name })}
            value={member.role}
            disabled={setRole.isPending}
            onChange={(role) =>
              setRole.mutate(
                { id: member.user_id, role: role as Role },
                {
                  onSuccess: () =>
                    toast.success(t('team.role_set', { name, role: t(`team.role.${role as Role}`) })),
                },
              )
            }
            choices={ROLES.map((role) => ({ id: role, label: t(`team.role.${role}`) }))}
          />
        </div>
      ) : (
        <StatusBadge tone="idle" plain>
          {t(`team.role.${member.role}`)}
        </StatusBadge>
      )}
      {mayChange && (
        <div className="flex gap-2">
          {member.second_factor && !self && <ResetSecondFactor id={member.user_id} name={name} />}
          {!lastOwner && <Remove id={member.user_id} name={name} self={self} />}
        </div>
      )}
      <Refused error={setRole.error} />
    </li>
  );
}

function Remove({ id, name, self }: { id: string; name: string; self: boolean }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const [asking, setAsking] = useState(false);
  const remove = useRemoveMember(tenant.id);
  // The row is gone when it has worked: what follows must not depend on it.
  const confirm = async () => {
    try {
      await remove.mutateAsync(id);
    } catch {
      return;
    }
    setAsking(false);
    toast.success(t('team.removed', { name }));
    if (self) window.location.assign('/');
  };
  return (
    <>
      <Button
        variant="secondary"
        size="sm"
        isIconOnly
        aria-label={t('team.remove_one', { name })}
        onPress={() => setAsking(true)}
      >
        <UserMinus aria-hidden />
      </Button>
      <ConfirmDialog
        title={t('team.remove_one', { name })}
        open={asking}
        onClose={() => setAsking(false)}
        confirm={t('team.remove')}
        pending={remove.isPending}
        onConfirm={() => void confirm()}
      >
        <p>{t(self ? 'team.leave_text' : 'team.remove_text', { name })}</p>
        <Refused error={remove.error} />
      </ConfirmDialog>
    </>
  );
}

function ResetSecondFactor({ id, name }: { id: string; name: string }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const [asking, setAsking] = useState(false);
  const reset = useResetSecondFactor(tenant.id);
  return (
    <>
      <Button
        variant="secondary"
        size="sm"
        isIconOnly
        aria-label={t('team.reset_factor', { name })}
        onPress={() => setAsking(true)}
      >
        <ShieldOff aria-hidden />
      </Button>
      <ConfirmDialog
        title={t('team.reset_factor', { name })}
        open={asking}
        onClose={() => setAsking(false)}
        confirm={t('team.reset')}
        pending={reset.isPending}
        onConfirm={() =>
          reset.mutate(id, {
            onSuccess: () => {
              setAsking(false);
              toast.success(t('team.factor_reset', { name }));
            },
          })
        }
      >
        <p>{t('team.reset_text', { name })}</p>
        <Refused error={reset.error} />
      </ConfirmDialog>
    </>
  );
}

function Refused({ error }: { error: Error | null }) {
  const errorText = useErrorText();
  const refused = error && errorText(messagesOf(error, []).whole);
  if (!refused) return null;
  return (
    <div className="w-full pt-2">
      <Notice tone="danger" alert>
        {refused}
      </Notice>
    </div>
  );
}
