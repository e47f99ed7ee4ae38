/**
 * The saved views of a list: choose one, save what is shown under a name, delete one.
 */
import { Button, Dropdown } from '@heroui/react';
import { Bookmark, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Dialog } from '../dialogs/dialog';
import { TextInput } from '../fields/fields';
import { sameState, type ListState } from './list-state';
import type { SavedView } from './views';

const SAVE = ' save';
const REMOVE = ' remove';
const LONGEST = 60;

interface ViewMenuProps {
  views: readonly SavedView[];
  state: ListState;
  columns: readonly string[] | undefined;
  onOpen: (view: SavedView) => void;
  onSave: (name: string) => void;
  onRemove: (view: SavedView) => void;
}

export function ViewMenu({ views, state, columns, onOpen, onSave, onRemove }: ViewMenuProps) {
  const { t } = useTranslation('ui');
  const [naming, setNaming] = useState(false);
  const current = views.find((view) => sameState(view, state) && view.columns?.join() === columns?.join());
  function act(key: string) {
    if (key === SAVE) setNaming(true);
    else if (key === REMOVE && current) onRemove(current);
    else {
      const view = views.find(({ id }) => id === key);
      if (view) onOpen(view);
    }
  }
  return (
    <>
      <Dropdown>
        <Button variant="secondary" className="max-w-56">
          <Bookmark aria-hidden />
          <span className="truncate">{current?.name ?? t('table.views')}</span>
        </Button>
        <Dropdown.Popover placement="bottom end" className="min-w-52">
          <Dropdown.Menu aria-label={t('table.views')} onAction={(key) => act(String(key))}>
            {views.length > 0 && (
              <Dropdown.Section aria-label={t('table.views')}>
                {views.map(({ id, name }) => (
                  <Dropdown.Item key={id} id={id} textValue={name}>
                    <span className={id === current?.id ? 'font-semibold' : ''}>{name}</span>
                  </Dropdown.Item>
                ))}
              </Dropdown.Section>
            )}
            <Dropdown.Section aria-label={t('table.views_change')}>
              <Dropdown.Item id={SAVE} textValue={t('table.view_save')}>
                <Plus className="size-4 text-muted" aria-hidden />
                {t('table.view_save')}
              </Dropdown.Item>
              {current && (
                <Dropdown.Item id={REMOVE} textValue={t('table.view_remove', { name: current.name })}>
                  <Trash2 className="size-4 text-muted" aria-hidden />
                  {t('table.view_remove', { name: current.name })}
                </Dropdown.Item>
              )}
            </Dropdown.Section>
          </Dropdown.Menu>
        </Dropdown.Popover>
      </Dropdown>
      <Dialog title={t('table.view_save')} open={naming} onClose={() => setNaming(false)}>
        <NameForm
          taken={views.map(({ name }) => name)}
          onSave={(name) => {
            setNaming(false);
            onSave(name);
          }}
        />
      </Dialog>
    </>
  );
}

interface NameFormProps {
  taken: readonly string[];
  onSave: (name: string) => void;
}

function NameForm({ taken, onSave }: NameFormProps) {
  const { t } = useTranslation('ui');
  const [name, setName] = useState('');
  const [wrong, setWrong] = useState(false);
  const text = name.trim();
  return (
    <form
      noValidate
      className="flex flex-col gap-5"
      onSubmit={(event) => {
        event.preventDefault();
        if (text === '' || text.length > LONGEST) setWrong(true);
        else onSave(text);
      }}
    >
      <TextInput
        label={t('table.view_name')}
        value={name}
        onChange={setName}
        description={taken.includes(text) ? t('table.view_replaces') : t('table.view_help')}
        error={wrong ? t('table.view_name_wrong', { longest: LONGEST }) : undefined}
        autoComplete="off"
        autoFocus
      />
      <Button type="submit">{t('table.view_save_action')}</Button>
    </form>
  );
}
