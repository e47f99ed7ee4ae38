/**
 * Which tenant one is in, and the way to the others.
 */
import type { Session, SessionTenant } from '@tandem/api';
import { Button, Dropdown } from '@tandem/ui';
import { useRouter } from '@tanstack/react-router';
import { ChevronsUpDown, Plus } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { NewTenant } from './new-tenant';

const NEW = ' new';

interface TenantSwitchProps {
  session: Session;
  here: SessionTenant;
}

export function TenantSwitch({ session, here }: TenantSwitchProps) {
  const { t } = useTranslation();
  const router = useRouter();
  const [creating, setCreating] = useState(false);
  const mayCreate = session.user.installation_administrator;
  return (
    <>
      <Dropdown>
        <Button
          variant="secondary"
          fullWidth
          className="h-auto min-h-11 justify-between px-2.5 py-1.5 text-start"
          aria-label={t('tenant.switch', { name: here.name })}
        >
          <span className="flex min-w-0 items-center gap-2.5">
            <span
              aria-hidden
              className="grid size-7 shrink-0 place-items-center rounded-md bg-accent text-xs font-semibold text-accent-foreground"
            >
              {initial(here.name)}
            </span>
            <span className="truncate">{here.name}</span>
          </span>
          <ChevronsUpDown className="text-muted" aria-hidden />
        </Button>
        <Dropdown.Popover placement="bottom start" className="min-w-56">
          <Dropdown.Menu
            aria-label={t('tenant.all')}
            onAction={(slug) => {
              if (slug === NEW) setCreating(true);
              else router.history.push(`/t/${slug}`);
            }}
          >
            {session.tenants.map(({ slug, name, demonstration }) => (
              <Dropdown.Item key={slug} id={slug} textValue={name}>
                <span className="min-w-0">
                  <span className="block truncate">{name}</span>
                  {demonstration && (
                    <span className="block text-xs text-muted">{t('tenant.demonstration_mark')}</span>
                  )}
                </span>
              </Dropdown.Item>
            ))}
            {mayCreate && (
              <Dropdown.Item id={NEW} textValue={t('tenant.new')}>
                <Plus className="size-4 text-muted" aria-hidden />
                {t('tenant.new')}
              </Dropdown.Item>
            )}
          </Dropdown.Menu>
        </Dropdown.Popover>
      </Dropdown>
      <NewTenant open={creating} onClose={() => setCreating(false)} />
    </>
  );
}

function initial(name: string): string {
  return [...name.trim()][0]?.toUpperCase() ?? '';
}
