/**
 * Above a table: search, filters, views, and the choice of columns.
 */
import { Button, Dropdown } from '@heroui/react';
import { Columns3, ListFilter, X } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { SearchBox } from '../fields/search-box';
import type { TableColumn } from './columns';
import { isPlain, type ListState } from './list-state';

export interface TableFilter {
  /** The query parameter. */
  name: string;
  title: string;
  choices: { id: string; label: string }[];
}

interface TableToolsProps {
  searchLabel: string;
  state: ListState;
  onState: (state: ListState) => void;
  filters: readonly TableFilter[];
  /** Filters that are no choice, such as a day. */
  fields?: ReactNode;
  children?: ReactNode;
}

export function TableTools({ searchLabel, state, onState, filters, fields, children }: TableToolsProps) {
  const { t } = useTranslation('ui');
  return (
    <div className="mb-4 flex flex-wrap items-center gap-2">
      <Search key={searchLabel} label={searchLabel} state={state} onState={onState} />
      {filters.map((filter) => (
        <FilterChip key={filter.name} filter={filter} state={state} onState={onState} />
      ))}
      {fields}
      {!isPlain({ ...state, search: '' }) && (
        <Button size="sm" variant="ghost" onPress={() => onState({ ...state, filters: {} })}>
          <X aria-hidden />
          {t('table.clear_filters')}
        </Button>
      )}
      <div className="ms-auto flex flex-wrap gap-2">{children}</div>
    </div>
  );
}

type SearchProps = Pick<TableToolsProps, 'state' | 'onState'> & { label: string };

/** What is typed counts after a short pause; what comes from outside (a link, a view) is shown at once. */
function Search({ label, state, onState }: SearchProps) {
  const [typed, setTyped] = useState(state.search);
  // The last text that went out: its echo must not undo what was typed meanwhile.
  const [sent, setSent] = useState(state.search);
  const [seen, setSeen] = useState(state.search);
  if (state.search !== seen) {
    setSeen(state.search);
    if (state.search !== sent) {
      setSent(state.search);
      setTyped(state.search);
    }
  }
  useEffect(() => {
    if (typed === sent) return;
    const send = () => {
      setSent(typed);
      onState({ ...state, search: typed });
    };
    const timer = setTimeout(send, typed === '' ? 0 : PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, sent, state, onState]);
  return <SearchBox label={label} value={typed} onChange={setTyped} />;
}

const PAUSE_MS = 200;

type FilterChipProps = Pick<TableToolsProps, 'state' | 'onState'> & { filter: TableFilter };

function FilterChip({ filter, state, onState }: FilterChipProps) {
  const { name, title, choices } = filter;
  const chosen = state.filters[name] ?? [];
  const labels = choices.filter(({ id }) => chosen.includes(id)).map(({ label }) => label);
  return (
    <Dropdown>
      <Button size="sm" variant={chosen.length > 0 ? 'primary' : 'secondary'} className="max-w-56 sm:h-9">
        <ListFilter aria-hidden />
        <span className="truncate">{labels.length > 0 ? `${title}: ${labels.join(', ')}` : title}</span>
      </Button>
      <Dropdown.Popover placement="bottom start" className="min-w-48">
        <Dropdown.Menu
          aria-label={title}
          selectionMode="multiple"
          selectedKeys={chosen}
          onSelectionChange={(keys) => {
            const ids = keys === 'all' ? choices.map(({ id }) => id) : [...keys].map(String);
            onState({ ...state, filters: { ...state.filters, [name]: ids } });
          }}
        >
          {choices.map(({ id, label }) => (
            <Dropdown.Item key={id} id={id} textValue={label}>
              <Dropdown.ItemIndicator />
              {label}
            </Dropdown.Item>
          ))}
        </Dropdown.Menu>
      </Dropdown.Popover>
    </Dropdown>
  );
}

interface ColumnChoiceProps<Item> {
  columns: readonly TableColumn<Item>[];
  shown: readonly TableColumn<Item>[];
  /** Absent: back to what the width allows. */
  onChoose: (ids: string[] | undefined) => void;
}

export function ColumnChoice<Item>({ columns, shown, onChoose }: ColumnChoiceProps<Item>) {
  const { t } = useTranslation('ui');
  return (
    <Dropdown>
      <Button isIconOnly variant="secondary" aria-label={t('table.columns')}>
        <Columns3 aria-hidden />
      </Button>
      <Dropdown.Popover placement="bottom end" className="min-w-52">
        <Dropdown.Menu
          aria-label={t('table.columns')}
          onAction={(key) => key === RESET && onChoose(undefined)}
        >
          <Dropdown.Section
            aria-label={t('table.columns')}
            selectionMode="multiple"
            selectedKeys={shown.map(({ id }) => id)}
            onSelectionChange={(keys) => onChoose([...keys].map(String))}
          >
            {columns.slice(1).map(({ id, title }) => (
              <Dropdown.Item key={id} id={id} textValue={title}>
                <Dropdown.ItemIndicator />
                {title}
              </Dropdown.Item>
            ))}
          </Dropdown.Section>
          <Dropdown.Section aria-label={t('table.columns_reset')}>
            <Dropdown.Item id={RESET} textValue={t('table.columns_reset')}>
              {t('table.columns_reset')}
            </Dropdown.Item>
          </Dropdown.Section>
        </Dropdown.Menu>
      </Dropdown.Popover>
    </Dropdown>
  );
}

const RESET = ' reset';
