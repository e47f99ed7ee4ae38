/**
 * Around a page of one item: waits for it, says that it is gone, or shows it.
 */
import { isNotFound, useItem, type CollectionName, type Collections } from '@tandem/api';
import { ButtonLink, EmptyState, Placeholder } from '@tandem/ui';
import { SearchX } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { Failed } from './absent';
import { useTenant } from '../tenant';

interface ItemProps<Name extends CollectionName> {
  name: Name;
  id: string;
  children: (item: Collections[Name]['item']) => ReactNode;
}

export function Item<Name extends CollectionName>({ name, id, children }: ItemProps<Name>) {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const { data, error, refetch } = useItem({ tenant: tenant.id, name }, id);
  if (isNotFound(error)) {
    return (
      <EmptyState
        icon={SearchX}
        title={t('gone.title')}
        action={<ButtonLink href={path(`/${name}`)}>{t(`${name}.title`)}</ButtonLink>}
      >
        {t('gone.text')}
      </EmptyState>
    );
  }
  if (data !== undefined) return children(data);
  if (error) {
    return (
      <Failed error={error}
        onRetry={() => void refetch()}
      />
    );
  }
  return <Placeholder rows={3} />;
}
