/**
 * The HTTP interface: every operation with its parameters and answers, to be tried with the session of the person.
 */
import { ButtonLink, Failure, NothingFound, PageHead, Placeholder, SearchBox, Section } from '@tandem/ui';
import { useQuery } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { found, operationsOf, type Description } from './model';
import { OneOperation } from './operation';

const ADDRESS = '/api/v1/openapi.json';

async function readDescription(): Promise<Description> {
  const answer = await fetch(ADDRESS);
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as Description;
}

export function InterfacePage() {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    queryKey: ['openapi'],
    queryFn: readDescription,
    staleTime: Infinity,
  });
  const [search, setSearch] = useState('');
  const groups = useMemo(() => (data ? operationsOf(data) : []), [data]);
  const shown = useMemo(() => found(groups, search), [groups, search]);
  return (
    <>
      <PageHead
        title={t('interface.title')}
        lead={t('interface.lead')}
        actions={
          <ButtonLink href={ADDRESS} variant="secondary" target="_blank">
            <Download aria-hidden />
            {t('interface.description')}
          </ButtonLink>
        }
      />
      {!data && error && <Failure onRetry={() => void refetch()} />}
      {!data && !error && <Placeholder rows={8} />}
      {data && (
        <div className="flex flex-col gap-6">
          <SearchBox label={t('interface.search')} value={search} onChange={setSearch} />
          {shown.length === 0 && <NothingFound search={search} onClear={() => setSearch('')} />}
          {shown.map(({ tag, operations }) => (
            <Section key={tag} title={tag}>
              <ul className="divide-y divide-separator">
                {operations.map((operation) => (
                  <OneOperation key={operation.id} operation={operation} description={data} />
                ))}
              </ul>
            </Section>
          ))}
        </div>
      )}
    </>
  );
}
