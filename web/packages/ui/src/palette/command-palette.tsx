/**
 * One field for everything: pages, actions, and what the server finds.
 */
import { Search } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import {
  Autocomplete,
  Collection,
  Dialog,
  Header,
  Input,
  ListBox,
  ListBoxItem,
  ListBoxSection,
  Modal,
  ModalOverlay,
  SearchField,
} from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import { matching, type Command, type CommandGroup } from './match';

const PAUSE_MS = 150;

interface CommandPaletteProps {
  onClose: () => void;
  groups: readonly CommandGroup[];
  /** What the server finds; a group without results is left out. */
  search: (text: string) => Promise<CommandGroup[]>;
}

interface Found {
  text: string;
  groups: CommandGroup[];
  failed: boolean;
}

export function CommandPalette({ onClose, groups, search }: CommandPaletteProps) {
  const { t } = useTranslation('ui');
  const [typed, setTyped] = useState('');
  const found = useFound(typed.trim(), search);
  const waiting = typed.trim() !== '' && found.text !== typed.trim();
  const shown = useMemo(() => [...matching(groups, typed), ...found.groups], [groups, typed, found]);
  const commands = new Map(shown.flatMap((group) => group.commands.map((command) => [command.id, command])));

  return (
    <ModalOverlay
      isOpen
      onOpenChange={(open) => !open && onClose()}
      isDismissable
      className="fixed inset-0 z-(--z-index-overlay) flex items-start justify-center bg-backdrop px-4 pt-[12dvh]"
    >
      <Modal className="w-full max-w-xl overflow-hidden rounded-2xl border border-border bg-overlay shadow-overlay">
        <Dialog aria-label={t('palette.title')} className="outline-none">
          <Autocomplete inputValue={typed} onInputChange={setTyped}>
            <SearchField
              aria-label={t('palette.title')}
              autoFocus
              className="flex items-center border-b border-separator"
            >
              <Search className="ms-4 size-4 shrink-0 text-muted" aria-hidden />
              <Input
                placeholder={t('palette.placeholder')}
                className="h-12 min-w-0 flex-1 bg-transparent px-3 text-base outline-none [&::-webkit-search-cancel-button]:hidden"
              />
            </SearchField>
            <ListBox
              aria-label={t('palette.results')}
              items={shown.map((group) => ({ ...group, id: group.title }))}
              className="max-h-[50dvh] overflow-y-auto p-2 outline-none empty:p-0"
              selectionMode="none"
              shouldFocusOnHover
              onAction={(key) => {
                onClose();
                commands.get(String(key))?.run();
              }}
              renderEmptyState={() => (
                <p className="px-3 py-6 text-center text-muted">
                  {t(waiting ? 'palette.searching' : 'palette.nothing')}
                </p>
              )}
            >
              {(group) => (
                <ListBoxSection id={group.title}>
                  <Header className="px-3 pt-2 pb-1 text-xs font-medium text-muted">{group.title}</Header>
                  <Collection items={group.commands}>{(command) => <Line command={command} />}</Collection>
                </ListBoxSection>
              )}
            </ListBox>
          </Autocomplete>
          <p role="status" className="border-t border-separator px-4 py-2 text-xs text-muted empty:hidden">
            {found.failed ? t('palette.failed') : waiting ? t('palette.searching') : ''}
          </p>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function Line({ command }: { command: Command }) {
  const { id, label, detail } = command;
  return (
    <ListBoxItem
      id={id}
      textValue={label}
      className="flex cursor-pointer items-baseline gap-3 rounded-lg px-3 py-2 outline-none data-[focused]:bg-accent-soft data-[focused]:text-accent-soft-foreground"
    >
      <span className="min-w-0 truncate">{label}</span>
      {detail && <span className="min-w-0 shrink truncate text-xs opacity-80">{detail}</span>}
    </ListBoxItem>
  );
}

/** Asks the server a moment after the last key; answers to older texts are dropped. */
function useFound(text: string, search: CommandPaletteProps['search']): Found {
  const [found, setFound] = useState<Found>({ text: '', groups: [], failed: false });
  useEffect(() => {
    let current = true;
    async function ask() {
      const answer = text === '' ? [] : await search(text).catch(() => undefined);
      if (current) setFound({ text, groups: answer ?? [], failed: answer === undefined });
    }
    const timer = setTimeout(() => void ask(), text === '' ? 0 : PAUSE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [text, search]);
  return found;
}
