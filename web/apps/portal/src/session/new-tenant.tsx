/**
 * A new tenant, for installation administrators.
 */
import { useCreateTenant } from '@tandem/api';
import { useRouter } from '@tanstack/react-router';
import { Dialog } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { requiredText, z } from '../forms/checks';
import { Form, TextField } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';

const schema = z.object({ name: requiredText() });

interface NewTenantProps {
  open: boolean;
  onClose: () => void;
}

export function NewTenant({ open, onClose }: NewTenantProps) {
  const { t } = useTranslation();
  return (
    <Dialog title={t('tenant.new')} open={open} onClose={onClose}>
      <NewTenantForm onDone={onClose} />
    </Dialog>
  );
}

function NewTenantForm({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const router = useRouter();
  const create = useCreateTenant();
  const form = useSavedForm({
    schema,
    values: { name: '' },
    save: async ({ name }) => {
      const { slug } = await create.mutateAsync({ name });
      onDone();
      await router.navigate({ to: '/t/$slug', params: { slug } });
    },
  });
  return (
    <Form {...form} passing action={t('tenant.create')} wide>
      <TextField name="name" label={t('tenant.name')} description={t('tenant.name_help')} autoFocus />
    </Form>
  );
}
