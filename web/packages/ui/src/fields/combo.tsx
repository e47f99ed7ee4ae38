/**
 * A choice among more than a list can show: what is typed is looked up, and what is missing can be made here.
 */
import { ChevronDown, Plus } from 'lucide-react';
import { useEffect, useRef, useState, type KeyboardEvent, type Ref } from 'react';
import {
  Button,
  ComboBox,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Text,
} from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import type { Choice } from './choice';
import { takenByEnter, type Answer } from './enter';

const PAUSE_MS = 150;
const CREATE = ' create';

interface SearchChoiceProps {
  label: string;
  description?: string;
  /** The chosen one, or nothing. */
  value: Choice | undefined;
  onChange: (choice: Choice | undefined) => void;
  /** The first few that match; the empty text means the first of all. */
  search: (text: string) => Promise<Choice[]>;
  /** Makes one with the typed name; absent: nothing can be made here. */
  onCreate?: ((text: string) => void) | undefined;
  error?: string | undefined;
  optional?: boolean;
  disabled?: boolean;
  inputRef?: Ref<HTMLInputElement>;
}

export function SearchChoice(props: SearchChoiceProps) {
  const { label, description, value, onChange, search, onCreate, error, optional, disabled, inputRef } =
    props;
  const { t } = useTranslation('ui');
  const [typed, setTyped] = useState(value?.label ?? '');
  const [shown, setShown] = useState(value?.id);
  if (value?.id !== shown) {
    setShown(value?.id);
    setTyped(value?.label ?? '');
  }
  const text = typed === value?.label ? '' : typed.trim();
  const matches = useMatches(text, search);
  const { choices, failed, waiting } = matches;
  const noteKey = useEnter(text, matches.answer, onChange);
  const create = onCreate && text !== '' ? [{ id: CREATE, label: t('combo.create', { name: text }) }] : [];

  function choose(id: string | null) {
    if (id === CREATE) onCreate?.(text);
    else onChange(choices.find((choice) => choice.id === id));
  }

  return (
    <ComboBox
      items={[...choices, ...create]}
      inputValue={typed}
      onInputChange={(next) => {
        setTyped(next);
        if (next === '' && value) onChange(undefined);
      }}
      selectedKey={value?.id ?? null}
      onSelectionChange={(key) => key !== null && choose(String(key))}
      onBlur={() => setTyped(value?.label ?? '')}
      menuTrigger="focus"
      allowsEmptyCollection
      isInvalid={error !== undefined}
      isDisabled={disabled ?? false}
      validationBehavior="aria"
      className="flex flex-col gap-1"
    >
      <Label className="label">
        {label}
        {optional && <span className="ms-1.5 font-normal text-muted">({t('optional')})</span>}
      </Label>
      {/* Before the field: it would take what is in the list now. */}
      <div className="relative" onKeyDownCapture={noteKey}>
        <Input ref={inputRef} className="input input--full-width pe-10" />
        <Button className="focusable absolute end-1 top-1/2 grid size-8 -translate-y-1/2 place-items-center rounded-md text-muted">
          <ChevronDown className="size-4" aria-hidden />
        </Button>
      </div>
      {description && error === undefined && (
        <Text slot="description" className="text-xs text-muted">
          {description}
        </Text>
      )}
      <FieldError className="text-xs text-danger">{error}</FieldError>
      <Popover className="max-h-80 w-(--trigger-width) overflow-y-auto rounded-xl border border-border bg-overlay p-1 shadow-overlay">
        <ListBox<Choice>
          className="outline-none"
          renderEmptyState={() => (
            <p className="px-3 py-2 text-sm text-muted">
              {t(failed ? 'combo.failed' : waiting ? 'combo.searching' : 'combo.nothing')}
            </p>
          )}
        >
          {({ id, label: name, detail }) => (
            <ListBoxItem
              id={id}
              textValue={name}
              className="flex cursor-pointer items-center gap-2 rounded-lg px-3 py-1.5 text-sm outline-none data-[focused]:bg-accent-soft data-[focused]:text-accent-soft-foreground"
            >
              {id === CREATE && <Plus className="size-4 shrink-0" aria-hidden />}
              <span className="min-w-0">
                <span className="block truncate">{name}</span>
                {detail && <span className="block truncate text-xs opacity-80">{detail}</span>}
              </span>
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}

function useMatches(text: string, search: SearchChoiceProps['search']) {
  const [found, setFound] = useState<{ text?: string; choices: Choice[]; failed: boolean }>({
    choices: [],
    failed: false,
  });
  useEffect(() => {
    let current = true;
    async function ask() {
      const choices = await search(text).catch(() => undefined);
      if (current) setFound({ text, choices: choices ?? [], failed: choices === undefined });
    }
    const timer = setTimeout(() => void ask(), text === '' ? 0 : PAUSE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [text, search]);
  return { answer: found, choices: found.choices, failed: found.failed, waiting: found.text !== text };
}

/** Enter before the answer to what was typed waits for it and then takes its first. */
function useEnter(text: string, answer: Answer<Choice>, onChange: SearchChoiceProps['onChange']) {
  const awaited = useRef<string>(undefined);
  useEffect(() => {
    if (awaited.current === undefined) return;
    const taken = takenByEnter(awaited.current, answer, false);
    if (taken === 'wait') return;
    awaited.current = undefined;
    if (taken !== 'nothing') onChange(taken.take);
  }, [answer, onChange]);
  return (event: KeyboardEvent) => {
    // Whoever presses another key has not decided yet.
    awaited.current = undefined;
    if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
    const pointed = event.target instanceof Element && event.target.hasAttribute('aria-activedescendant');
    const taken = takenByEnter(text, answer, pointed);
    if (taken === 'nothing') return;
    event.preventDefault();
    event.stopPropagation();
    if (taken === 'wait') awaited.current = text;
    else onChange(taken.take);
  };
}
