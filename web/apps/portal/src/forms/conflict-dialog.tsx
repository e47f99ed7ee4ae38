/**
 * What somebody else changed meanwhile, field by field, with the choice between theirs and mine.
 */
import { Button, Dialog, RadioField } from '@tandem/ui';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { proposal, type Side } from './conflict';
import type { FieldText, OpenConflict } from './saved-form';

export function ConflictDialog<Values>({ conflict }: { conflict: OpenConflict<Values> }) {
  const { t } = useTranslation();
  const { conflicts, fields, settle, close } = conflict;
  const [sides, setSides] = useState(() => proposal(conflicts));
  const all = (side: Side) => setSides(Object.fromEntries(conflicts.map(({ name }) => [name, side])));
  return (
    <Dialog
      title={t('conflict.title')}
      open
      wide
      onClose={close}
      footer={
        <>
          <Button variant="secondary" onPress={close}>
            {t('conflict.back')}
          </Button>
          <Button onPress={() => settle(sides)}>{t('conflict.save')}</Button>
        </>
      }
    >
      <p>{t('conflict.lead')}</p>
      <div className="mt-3 flex flex-wrap gap-2">
        <Button size="sm" variant="secondary" onPress={() => all('theirs')}>
          {t('conflict.all_theirs')}
        </Button>
        <Button size="sm" variant="secondary" onPress={() => all('mine')}>
          {t('conflict.all_mine')}
        </Button>
      </div>
      <div className="mt-5 flex flex-col gap-5 text-foreground">
        {conflicts.map(({ name, mine, theirs }) => {
          const field = fields[name] as FieldText<unknown> | undefined;
          const words = (value: unknown) => (field?.show ?? String)(value) || t('none');
          return (
            <RadioField
              key={name}
              label={field?.label ?? name}
              value={sides[name] ?? 'mine'}
              onChange={(side) => setSides({ ...sides, [name]: side as Side })}
              choices={[
                { id: 'theirs', label: t('conflict.theirs'), detail: words(theirs) },
                { id: 'mine', label: t('conflict.mine'), detail: words(mine) },
              ]}
            />
          );
        })}
      </div>
    </Dialog>
  );
}
