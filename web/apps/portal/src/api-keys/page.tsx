/**
 * The keys with which programs use the interface: what each may do, who made it, whether it is used, and ending it.
 */
import { useApiKeys, useRevokeApiKey, type ApiKey } from '@tandem/api';
import {
  Button,
  ButtonLink,
  ConfirmDialog,
  DataTable,
  DateTime,
  EmptyState,
  PageHead,
  StatusBadge,
  toast,
  type TableColumn,
} from '@tandem/ui';
import { KeyRound, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { RefusedNotice } from '../forms/refused-notice';
import { Absent } from '../pages/absent';
import { useTenant } from '../tenant';
import { scopeOf } from './model';

export function ApiKeysPage() {
  const { t } = useTranslation();
  const { tenant, path, mayChange } = useTenant();
  const { data, error, refetch } = useApiKeys(tenant.id);
  const columns = useColumns();
  const create = mayChange && (
    <ButtonLink href={path('/api-keys/new')}>
      <Plus aria-hidden />
      {t('api_keys.new')}
    </ButtonLink>
  );
  const empty = data?.length === 0;
  return (
    <>
      <PageHead title={t('api_keys.title')} lead={t('api_keys.lead')} actions={!empty && create} />
      <Absent data={data} error={error} onRetry={() => void refetch()} rows={4} />
      {empty && (
        <EmptyState icon={KeyRound} title={t('api_keys.empty.title')} action={create}>
          {t('api_keys.empty.text')}
        </EmptyState>
      )}
      {data && !empty && (
        <DataTable<ApiKey>
          label={t('api_keys.title')}
          columns={columns}
          items={data}
          nameOf={({ name }) => name}
        />
      )}
    </>
  );
}

function useColumns(): TableColumn<ApiKey>[] {
  const { t } = useTranslation();
  return [
    {
      id: 'name',
      title: t('api_keys.name'),
      share: 2,
      cell: ({ name, prefix, made_by }) => (
        <span>
          <span className="block font-medium wrap-anywhere">{name}</span>
          <span className="block font-mono text-xs text-muted">{prefix}…</span>
          <span className="block text-xs break-all text-muted">
            {t('api_keys.made_by', { who: made_by })}
          </span>
        </span>
      ),
    },
    {
      id: 'scopes',
      title: t('api_keys.scopes'),
      share: 2,
      cell: ({ scopes }) => (
        <ul className="text-xs">
          {scopes.map((scope) => (
            <li key={scope}>
              <Scope scope={scope} />
            </li>
          ))}
        </ul>
      ),
    },
    {
      id: 'used',
      title: t('api_keys.last_used'),
      cell: ({ last_used_at }) =>
        last_used_at ? (
          <DateTime at={last_used_at} as="ago" />
        ) : (
          <span className="text-muted">{t('api_keys.never_used')}</span>
        ),
    },
    { id: 'expires', title: t('api_keys.ends'), cell: (key) => <End apiKey={key} /> },
    {
      id: 'actions',
      title: t('api_keys.actions'),
      plain: true,
      cell: (key) => <Revoke apiKey={key} />,
    },
  ];
}

/** `contacts:read` in words; what a newer server knows stays as it is. */
function Scope({ scope }: { scope: string }) {
  const { t } = useTranslation();
  const known = scopeOf(scope);
  if (!known) return <span className="font-mono">{scope}</span>;
  return t('api_keys.scope', {
    area: t(`api_keys.area.${known.area}`),
    level: t(`api_keys.level_short.${known.level}`),
  });
}

function End({ apiKey }: { apiKey: ApiKey }) {
  const { t } = useTranslation();
  const { expires_at, expired } = apiKey;
  if (expired) return <StatusBadge tone="idle">{t('api_keys.expired')}</StatusBadge>;
  if (!expires_at) return <span className="text-muted">{t('api_keys.never')}</span>;
  return <DateTime at={expires_at} as="day" />;
}

function Revoke({ apiKey }: { apiKey: ApiKey }) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const [asking, setAsking] = useState(false);
  const revoke = useRevokeApiKey(tenant.id);
  const { id, name } = apiKey;
  // The row is gone when it has worked: what follows must not depend on it.
  const confirm = async () => {
    try {
      await revoke.mutateAsync(id);
    } catch {
      return;
    }
    toast.success(t('api_keys.revoked', { name }));
  };
  return (
    <>
      <Button
        variant="secondary"
        size="sm"
        isIconOnly
        aria-label={t('api_keys.revoke_one', { name })}
        onPress={() => {
          revoke.reset();
          setAsking(true);
        }}
      >
        <Trash2 aria-hidden />
      </Button>
      <ConfirmDialog
        title={t('api_keys.revoke_title', { name })}
        open={asking}
        onClose={() => setAsking(false)}
        confirm={t('api_keys.revoke')}
        pending={revoke.isPending}
        onConfirm={() => void confirm()}
      >
        <p>{t('api_keys.revoke_text')}</p>
        <div className="mt-4 empty:hidden">
          <RefusedNotice error={revoke.error} />
        </div>
      </ConfirmDialog>
    </>
  );
}
