/**
 * What narrows the list of calls and is no choice: days, a person, an account.
 */
import { useItem } from '@tandem/api';
import { Button, PeriodChip, type ListState } from '@tandem/ui';
import { X } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { useTenant } from '../tenant';

interface FiltersProps {
  state: ListState;
  onState: (state: ListState) => void;
}

export function Filters({ state, onState }: FiltersProps) {
  const { t } = useTranslation();
  const { filters } = state;
  const put = (values: Record<string, string>) => {
    const next = Object.entries(values).map(([name, value]) => [name, value === '' ? [] : [value]] as const);
    onState({ ...state, filters: { ...filters, ...Object.fromEntries(next) } });
  };
  const [contact, account] = [filters.contact?.[0], filters.account?.[0]];
  return (
    <>
      <PeriodChip
        label={t('calls.period')}
        value={{ from: filters.from?.[0] ?? '', to: filters.to?.[0] ?? '' }}
        onChange={({ from, to }) => put({ from, to })}
      />
      {contact && <Person id={contact} onDrop={() => put({ contact: '' })} />}
      {account && <Line id={account} onDrop={() => put({ account: '' })} />}
    </>
  );
}

interface ChosenProps {
  id: string;
  onDrop: () => void;
}

function Person({ id, onDrop }: ChosenProps) {
  const { tenant } = useTenant();
  const { data } = useItem({ tenant: tenant.id, name: 'contacts' }, id);
  return <Chip name={data ? `${data.first_name} ${data.last_name}` : id} onDrop={onDrop} />;
}

function Line({ id, onDrop }: ChosenProps) {
  const { tenant } = useTenant();
  const { data } = useItem({ tenant: tenant.id, name: 'accounts' }, id);
  return <Chip name={data?.name ?? id} onDrop={onDrop} />;
}

function Chip({ name, onDrop }: { name: string; onDrop: () => void }) {
  const { t } = useTranslation();
  return (
    <Button size="sm" variant="primary" aria-label={t('calls.drop', { name })} onPress={onDrop}>
      {name}
      <X aria-hidden />
    </Button>
  );
}
