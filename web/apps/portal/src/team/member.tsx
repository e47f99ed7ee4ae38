/**
 * A member of the team as a row, and what an owner can change about it.
 */
import { useRemoveMember, useResetSecondFactor, useSetRole, type MemberRow, type Role } from '@tandem/api';
import { Button, ConfirmDialog, Dropdown, StatusBadge, toast } from '@tandem/ui';
import { Ellipsis, ShieldOff, UserMinus } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { RefusedNotice } from '../forms/refused-notice';
import { useTenant } from '../tenant';
import { ROLES } from './roles';

export function nameOf({ first_name, last_name, email }: MemberRow): string {
  return `${first_name} ${last_name}`.trim() || email;
}

interface PersonProps {
  member: MemberRow;
  /** The person who looks. */
  self: boolean;
  /** Without them nobody could decide who is a member. */
  lastOwner: boolean;
}

export function Person({ member, self, lastOwner }: PersonProps) {
  const { t } = useTranslation();
  return (
    <span className="block min-w-0">
      <span className="flex flex-wrap items-center gap-2 font-medium">
        {nameOf(member)}
        {self && (
          <StatusBadge tone="info" plain>
            {t('team.you')}
          </StatusBadge>
        )}
      </span>
      <span className="block text-xs break-all text-muted">{member.email}</span>
      {lastOwner && <span className="mt-1 block text-xs text-muted">{t('team.last_owner')}</span>}
    </span>
  );
}

type Asked = 'remove' | 'reset';

/** Role, second factor and membership, behind one button. */
export function MemberActions({ member, self }: Omit<PersonProps, 'lastOwner'>) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const [asked, setAsked] = useState<Asked>();
  const setRole = useSetRole(tenant.id);
  const name = nameOf(member);

  function choose(role: Role) {
    if (role === member.role) return;
    setRole.mutate(
      { id: member.user_id, role },
      { onSuccess: () => toast.success(t('team.role_set', { name, role: t(`team.role.${role}`) })) },
    );
  }

  return (
    <>
      <Dropdown>
        <Button
          isIconOnly
          size="sm"
          variant="secondary"
          isPending={setRole.isPending}
          aria-label={t('team.change_one', { name })}
        >
          <Ellipsis aria-hidden />
        </Button>
        <Dropdown.Popover placement="bottom end" className="min-w-52">
          <Dropdown.Menu
            aria-label={t('team.change_one', { name })}
            onAction={(key) => (key === 'remove' || key === 'reset') && setAsked(key)}
          >
            <Dropdown.Section
              aria-label={t('team.role_label')}
              selectionMode="single"
              disallowEmptySelection
              selectedKeys={[member.role]}
              onSelectionChange={(keys) => {
                const role = ROLES.find((known) => keys === 'all' || keys.has(known));
                if (role) choose(role);
              }}
            >
              {ROLES.map((role) => (
                <Dropdown.Item key={role} id={role} textValue={t(`team.role.${role}`)}>
                  <Dropdown.ItemIndicator />
                  {t(`team.role.${role}`)}
                </Dropdown.Item>
              ))}
            </Dropdown.Section>
            <Dropdown.Section aria-label={t('team.membership')}>
              {member.second_factor && !self && (
                <Dropdown.Item id="reset" textValue={t('team.reset_factor_short')}>
                  <ShieldOff className="size-4 text-muted" aria-hidden />
                  {t('team.reset_factor_short')}
                </Dropdown.Item>
              )}
              <Dropdown.Item id="remove" textValue={t(self ? 'team.leave' : 'team.remove')}>
                <UserMinus className="size-4 text-muted" aria-hidden />
                {t(self ? 'team.leave' : 'team.remove')}
              </Dropdown.Item>
            </Dropdown.Section>
          </Dropdown.Menu>
        </Dropdown.Popover>
      </Dropdown>
      <RefusedNotice error={setRole.error} />
      {asked === 'remove' && <Remove member={member} self={self} onClose={() => setAsked(undefined)} />}
      {asked === 'reset' && <ResetSecondFactor member={member} onClose={() => setAsked(undefined)} />}
    </>
  );
}

interface AskingProps {
  member: MemberRow;
  onClose: () => void;
}

function Remove({ member, self, onClose }: AskingProps & { self: boolean }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const remove = useRemoveMember(tenant.id);
  const name = nameOf(member);
  // The row is gone when it has worked: what follows must not depend on it.
  const confirm = async () => {
    try {
      await remove.mutateAsync(member.user_id);
    } catch {
      return;
    }
    onClose();
    toast.success(t('team.removed', { name }));
    if (self) window.location.assign('/');
  };
  return (
    <ConfirmDialog
      title={t('team.remove_one', { name })}
      open
      onClose={onClose}
      confirm={t(self ? 'team.leave' : 'team.remove')}
      pending={remove.isPending}
      onConfirm={() => void confirm()}
    >
      <p>{t(self ? 'team.leave_text' : 'team.remove_text', { name })}</p>
      <div className="pt-2 empty:hidden">
        <RefusedNotice error={remove.error} />
      </div>
    </ConfirmDialog>
  );
}

function ResetSecondFactor({ member, onClose }: AskingProps) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const reset = useResetSecondFactor(tenant.id);
  const name = nameOf(member);
  return (
    <ConfirmDialog
      title={t('team.reset_factor', { name })}
      open
      onClose={onClose}
      confirm={t('team.reset')}
      pending={reset.isPending}
      onConfirm={() =>
        reset.mutate(member.user_id, {
          onSuccess: () => {
            onClose();
            toast.success(t('team.factor_reset', { name }));
          },
        })
      }
    >
      <p>{t('team.reset_text', { name })}</p>
      <div className="pt-2 empty:hidden">
        <RefusedNotice error={reset.error} />
      </div>
    </ConfirmDialog>
  );
}
