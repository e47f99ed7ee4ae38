/**
 * What the four lists have in common: search, table, the empty page that teaches, and reading on.
 */
import { Refusal, useList, type CollectionName, type Collections } from '@tandem/api';
import {
  ButtonLink,
  DataTable,
  EmptyState,
  Failure,
  NothingFound,
  PageHead,
  Placeholder,
  SearchBox,
  useSettled,
  type Icon,
  type TableColumn,
} from '@tandem/ui';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useTenant } from '../tenant';

interface ListPageProps<Name extends CollectionName> {
  name: Name;
  icon: Icon;
  columns: TableColumn<Collections[Name]['item']>[];
}

export function ListPage<Name extends CollectionName>({ name, icon, columns }: ListPageProps<Name>) {
  const { t } = useTranslation();
  const { tenant, path, mayChange } = useTenant();
  const [typed, setTyped] = useState('');
  const search = useSettled(typed);
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useList(
    { tenant: tenant.id, name },
    search,
  );
  const create = mayChange && (
    <ButtonLink href={path(`/${name}/new`)}>
      <Plus aria-hidden />
      {t(`${name}.new`)}
    </ButtonLink>
  );
  const empty = data?.length === 0;
  return (
    <>
      <PageHead
        title={t(`${name}.title`)}
        lead={t(`${name}.lead`)}
        actions={!(empty && search === '') && create}
      />
      {data === undefined && error && (
        <Failure
          detail={error instanceof Refusal ? error.message : undefined}
          onRetry={() => void refetch()}
        />
      )}
      {data === undefined && !error && <Placeholder />}
      {data !== undefined && !(empty && search === '') && (
        <div className="mb-4">
          <SearchBox label={t(`${name}.search`)} value={typed} onChange={setTyped} />
        </div>
      )}
      {empty && search === '' && (
        <EmptyState icon={icon} title={t(`${name}.empty.title`)} action={create}>
          {t(`${name}.empty.text`)}
        </EmptyState>
      )}
      {empty && search !== '' && <NothingFound search={search} onClear={() => setTyped('')} />}
      {data !== undefined && !empty && (
        <DataTable<Collections[Name]['item']>
          label={t(`${name}.title`)}
          columns={columns}
          items={data}
          href={({ id }) => path(`/${name}/${id}`)}
          onMore={hasNextPage ? () => void fetchNextPage() : undefined}
          pending={isFetchingNextPage}
        />
      )}
    </>
  );
}
