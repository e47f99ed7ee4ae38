/**
 * The fields above the list of calls. What is chosen stands in the address, so that it can be kept and sent.
 */
import { useItem } from '@tandem/api';
import { Button, ChoiceField, SearchBox, TextInput } from '@tandem/ui';
import { X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useTenant } from '../tenant';
import { DIRECTIONS, isBackwards, OUTCOMES, type Chosen } from './model';

interface FiltersProps {
  chosen: Chosen;
  onChange: (chosen: Chosen) => void;
}

const ANY = 'any';
const PAUSE_MS = 250;

export function Filters({ chosen, onChange }: FiltersProps) {
  const { t } = useTranslation();
  const any = { id: ANY, label: t('calls.any') };
  const outcomes = OUTCOMES.map((id) => ({ id, label: t(`calls.outcome.${id}`) }));
  const directions = DIRECTIONS.map((id) => ({ id, label: t(`calls.direction.${id}`) }));
  const put = (key: keyof Chosen) => (value: string) =>
    onChange({ ...chosen, [key]: value === ANY ? undefined : value });
  return (
    <div className="no-print mb-4 flex flex-col gap-3">
      <Search key={chosen.search === undefined ? 'none' : 'some'} chosen={chosen} onChange={onChange} />
      <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-4">
        <TextInput
          label={t('calls.from')}
          type="date"
          value={chosen.from ?? ''}
          onChange={put('from')}
          optional
        />
        <TextInput
          label={t('calls.to')}
          type="date"
          value={chosen.to ?? ''}
          onChange={put('to')}
          error={isBackwards(chosen) ? t('calls.backwards') : undefined}
          optional
        />
        <ChoiceField
          label={t('calls.outcome_title')}
          value={chosen.outcome ?? ANY}
          onChange={put('outcome')}
          choices={[any, ...outcomes]}
        />
        <ChoiceField
          label={t('calls.direction_title')}
          value={chosen.direction ?? ANY}
          onChange={put('direction')}
          choices={[any, ...directions]}
        />
      </div>
      <div className="flex flex-wrap gap-2 empty:hidden">
        {chosen.contact && <Person id={chosen.contact} onDrop={() => put('contact')('')} />}
        {chosen.account && <Line id={chosen.account} onDrop={() => put('account')('')} />}
      </div>
    </div>
  );
}

/** What is typed reaches the address after a pause. */
function Search({ chosen, onChange }: FiltersProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(chosen.search ?? '');
  useEffect(() => {
    if (typed === (chosen.search ?? '')) return;
    const timer = setTimeout(() => onChange({ ...chosen, search: typed }), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, chosen, onChange]);
  return <SearchBox label={t('calls.search')} value={typed} onChange={setTyped} />;
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
    <Button size="sm" variant="secondary" aria-label={t('calls.drop', { name })} onPress={onDrop}>
      {name}
      <X aria-hidden />
    </Button>
  );
}
