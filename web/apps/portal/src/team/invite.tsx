/**
 * Inviting somebody by mail.
 */
import { useInvite, useMailSettings, type Role } from '@tandem/api';
import { Dialog, RadioField, toast } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { requiredText, z } from '../forms/checks';
import { Form, TextField, useField } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';
import { StaysHere } from '../mail/way';
import { useTenant } from '../tenant';
import { ROLES } from './roles';

const schema = z.object({
  email: requiredText(254),
  role: z.enum(['owner', 'administrator', 'read_only']),
});

export function Invite({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Dialog title={t('team.invite_title')} open onClose={onClose}>
      <div className="flex flex-col gap-5">
        <p>{t('team.invite_text')}</p>
        <StaysHere />
        <InviteForm onDone={onClose} />
      </div>
    </Dialog>
  );
}

function InviteForm({ onDone }: { onDone: () => void }) {
  const { t, i18n } = useTranslation();
  const { tenant } = useTenant();
  const invite = useInvite(tenant.id);
  const staysHere = useMailSettings(tenant.id).data?.way === 'mailbox';
  const form = useSavedForm<{ email: string; role: Role }>({
    schema,
    values: { email: '', role: 'administrator' },
    save: async ({ email, role }) => {
      await invite.mutateAsync({ email, role, language: i18n.language === 'de' ? 'de' : 'en' });
      onDone();
      toast.success(t(staysHere ? 'team.invited_here' : 'team.invited', { email }));
    },
  });
  return (
    <Form {...form} passing action={t(staysHere ? 'team.invite' : 'team.send')} onCancel={onDone}>
      <TextField
        name="email"
        type="email"
        label={t('sign_in.email')}
        autoComplete="off"
        autoFocus
        technical
      />
      <RoleField />
    </Form>
  );
}

function RoleField() {
  const { t } = useTranslation();
  const { value, onChange } = useField('role');
  return (
    <RadioField
      label={t('team.role_label')}
      stacked
      value={value as Role}
      onChange={onChange}
      choices={ROLES.map((role) => ({
        id: role,
        label: t(`team.role.${role}`),
        detail: t(`team.role_help.${role}`),
      }))}
    />
  );
}
