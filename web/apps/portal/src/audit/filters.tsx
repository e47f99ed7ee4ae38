/**
 * The fields above the log. What is chosen stands in the address, so that it can be kept and sent.
 */
import { Button, ChoiceField, SearchBox, TextInput } from '@tandem/ui';
import { X } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { usePaused } from '../pages/paused';
import { KINDS, type Chosen } from './model';

interface FiltersProps {
  chosen: Chosen;
  onChange: (chosen: Chosen) => void;
}

const ANY = 'any';

export function Filters({ chosen, onChange }: FiltersProps) {
  const { t } = useTranslation();
  const [search, setSearch] = usePaused(chosen.search ?? '', (text) => onChange({ ...chosen, search: text }));
  const [who, setWho] = usePaused(chosen.who ?? '', (text) => onChange({ ...chosen, who: text }));
  const backwards = chosen.from !== undefined && chosen.to !== undefined && chosen.to < chosen.from;
  return (
    <div className="no-print mb-4 flex flex-col gap-3">
      <SearchBox label={t('audit.search')} value={search} onChange={setSearch} />
      <div className="grid items-start gap-3 sm:grid-cols-2 lg:grid-cols-4">
        <ChoiceField
          label={t('audit.what')}
          value={chosen.what ?? ANY}
          onChange={(id) => onChange({ ...chosen, what: KINDS.find((kind) => kind === id) as never })}
          choices={[
            { id: ANY, label: t('audit.any') },
            ...KINDS.map((id) => ({ id, label: t(`audit.kind.${id}`) })),
          ]}
        />
        <TextInput
          label={t('audit.who')}
          type="email"
          value={who}
          onChange={setWho}
          placeholder="name@example.com"
          autoComplete="off"
          technical
          optional
        />
        <TextInput
          label={t('audit.from')}
          type="date"
          value={chosen.from ?? ''}
          onChange={(from) => onChange({ ...chosen, from })}
          optional
        />
        <TextInput
          label={t('audit.to')}
          type="date"
          value={chosen.to ?? ''}
          onChange={(to) => onChange({ ...chosen, to })}
          error={backwards ? t('audit.backwards') : undefined}
          optional
        />
      </div>
      <div className="flex flex-wrap gap-2 empty:hidden">
        {chosen.object && (
          <Button
            size="sm"
            variant="secondary"
            aria-label={t('audit.drop_object')}
            onPress={() => onChange({ ...chosen, object: '' })}
          >
            {t('audit.object')}
            <X aria-hidden />
          </Button>
        )}
      </div>
    </div>
  );
}
