/**
 * Signed in, but a member of no tenant.
 */
import { useSession } from '@tandem/api';
import { Button, useTitle } from '@tandem/ui';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { NewTenant } from './new-tenant';
import { useLeave } from './leave';
import { Welcome } from './welcome';

export function NoTenantPage() {
  const { t } = useTranslation();
  const mayCreate = useSession().data?.user.installation_administrator ?? false;
  const [creating, setCreating] = useState(false);
  const leave = useLeave();
  useTitle(t('no_tenant.title'));
  return (
    <Welcome title={t('no_tenant.title')} lead={t(mayCreate ? 'no_tenant.create' : 'no_tenant.lead')}>
      <div className="flex flex-wrap gap-2">
        {mayCreate && <Button onPress={() => setCreating(true)}>{t('tenant.new')}</Button>}
        <Button variant="secondary" onPress={leave}>
          {t('menu.sign_out')}
        </Button>
      </div>
      <NewTenant open={creating} onClose={() => setCreating(false)} />
    </Welcome>
  );
}
