/**
 * What opens above a page: dialogs, toasts, the palette, the list of shortcuts.
 */
import {
  Button,
  CommandPalette,
  ConfirmDialog,
  DeleteDialog,
  Dialog,
  ShortcutHelp,
  toast,
  useShortcut,
  type CommandGroup,
} from '@tandem/ui';
import { useCallback, useState } from 'react';

import { peopleOf } from './people';
import { useWords } from './words';

type Shown = 'dialog' | 'confirm' | 'delete' | 'palette' | 'help';

const MOST = 5;

export function WindowGallery() {
  const words = useWords();
  const [shown, setShown] = useState<Shown>();
  const close = () => setShown(undefined);
  useShortcut({
    keys: 'g>h',
    label: words.shortcut,
    group: words.dialogs,
    run: () => toast.success(words.hello),
  });
  useShortcut({ keys: '?', label: words.open_help, group: words.dialogs, run: () => setShown('help') });
  useShortcut({
    keys: 'mod+k',
    label: words.open_palette,
    group: words.dialogs,
    everywhere: true,
    run: () => setShown('palette'),
  });
  const groups: CommandGroup[] = [
    {
      title: words.dialogs,
      commands: [
        { id: 'hello', label: words.hello, run: () => toast.success(words.hello) },
        { id: 'help', label: words.open_help, run: () => setShown('help') },
      ],
    },
  ];
  const search = useCallback(
    async (text: string) => {
      const commands = peopleOf({ search: text, sort: '', filters: {} })
        .slice(0, MOST)
        .map(({ id, name, city }) => ({ id, label: name, detail: city, run: () => toast.success(name) }));
      return commands.length > 0 ? [{ title: words.people, commands }] : [];
    },
    [words],
  );
  const open: [Shown, string][] = [
    ['dialog', words.open_dialog],
    ['confirm', words.open_confirm],
    ['delete', words.open_delete],
    ['palette', words.open_palette],
    ['help', words.open_help],
  ];
  return (
    <div className="flex flex-wrap gap-2">
      {open.map(([name, label]) => (
        <Button key={name} variant="secondary" onPress={() => setShown(name)}>
          {label}
        </Button>
      ))}
      <Button variant="secondary" onPress={() => toast.success(words.toast_text)}>
        {words.toast}
      </Button>
      <Button variant="secondary" onPress={() => toast.danger(words.toast_failed_text)}>
        {words.toast_failed}
      </Button>
      <Dialog title={words.open_dialog} open={shown === 'dialog'} onClose={close}>
        <p>{words.dialog_text}</p>
      </Dialog>
      <ConfirmDialog
        title={words.open_confirm}
        open={shown === 'confirm'}
        onClose={close}
        confirm={words.confirm}
        onConfirm={close}
      >
        <p>{words.dialog_text}</p>
      </ConfirmDialog>
      <DeleteDialog
        title={words.delete_title}
        open={shown === 'delete'}
        onClose={close}
        confirm={words.danger}
        onConfirm={close}
        impossible
        references={['Desk', 'Mobile'].map((name) => ({ href: `#${name}`, name, kind: words.device }))}
      >
        <p>{words.delete_text}</p>
      </DeleteDialog>
      {shown === 'palette' && <CommandPalette onClose={close} groups={groups} search={search} />}
      {shown === 'help' && <ShortcutHelp onClose={close} />}
    </div>
  );
}
