/**
 * Ten thousand rows that are searched, sorted, filtered and selected. They are read a hundred at a time, or as many
 * as the address says (`?rows=10000`).
 */
import {
  BulkBar,
  Button,
  ColumnChoice,
  DataTable,
  PeriodChip,
  PLAIN,
  shownColumns,
  sortOf,
  sortText,
  StatusBadge,
  TableTools,
  useMedia,
  ViewMenu,
  type ListState,
  type Period,
  type SavedView,
  type TableColumn,
} from '@tandem/ui';
import { useMemo, useState } from 'react';

import { peopleOf, type Person } from './people';
import { useWords } from './words';

const PAGE = 100;
const FIRST = Number(new URLSearchParams(window.location.search).get('rows') ?? PAGE);

export function TableGallery() {
  const words = useWords();
  const [state, setState] = useState<ListState>(PLAIN);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [chosen, setChosen] = useState<string[]>();
  const [views, setViews] = useState<SavedView[]>([]);
  const [days, setDays] = useState<Period>({ from: '', to: '' });
  const [everything, setEverything] = useState(false);
  const [read, setRead] = useState(FIRST);
  const found = useMemo(() => peopleOf(state), [state]);
  const items = useMemo(() => found.slice(0, read), [found, read]);
  const columns: TableColumn<Person>[] = [
    { id: 'name', title: words.name, sort: 'name', share: 2, cell: ({ name }) => name },
    { id: 'city', title: words.city, sort: 'city', cell: ({ city }) => city },
    { id: 'phone', title: words.phone, from: 'lg', cell: ({ phone }) => phone },
    {
      id: 'status',
      title: words.status,
      cell: ({ online }) => (
        <StatusBadge tone={online ? 'good' : 'idle'}>{online ? words.good : words.idle}</StatusBadge>
      ),
    },
    { id: 'notes', title: words.notes, spare: true, cell: () => words.nothing },
  ];
  const shown = shownColumns(columns, chosen, {
    lg: useMedia('(width >= 64rem)'),
    xl: useMedia('(width >= 80rem)'),
  });
  return (
    <div>
      <TableTools
        searchLabel={words.search_people}
        state={state}
        onState={setState}
        filters={[
          {
            name: 'status',
            title: words.status,
            choices: [
              { id: 'online', label: words.good },
              { id: 'offline', label: words.idle },
            ],
          },
        ]}
        fields={<PeriodChip label={words.days} value={days} onChange={setDays} />}
      >
        <ViewMenu
          views={views}
          state={state}
          columns={chosen}
          onOpen={(view) => {
            setState(view);
            setChosen(view.columns);
          }}
          onSave={(name) =>
            setViews([...views, { ...state, id: name, name, ...(chosen && { columns: chosen }) }])
          }
          onRemove={({ id }) => setViews(views.filter((view) => view.id !== id))}
        />
        <ColumnChoice columns={columns} shown={shown} onChoose={setChosen} />
      </TableTools>
      <DataTable<Person>
        label={words.people}
        columns={shown}
        items={items}
        total={{ count: found.length, exact: true }}
        onMore={read < found.length ? () => setRead(read + PAGE) : undefined}
        nameOf={({ name }) => name}
        sort={sortOf(state.sort)}
        onSort={(sort) => setState({ ...state, sort: sortText(sort) })}
        selected={selected}
        onSelect={(ids) => {
          setEverything(false);
          setSelected(ids);
        }}
      />
      {selected.size > 0 && (
        <BulkBar
          count={selected.size}
          all={{
            total: { count: found.length, exact: true },
            chosen: everything,
            onChoose: () => setEverything(true),
          }}
          onClear={() => setSelected(new Set())}
        >
          <Button size="sm" variant="danger-soft" onPress={() => setSelected(new Set())}>
            {words.danger_soft}
          </Button>
        </BulkBar>
      )}
    </div>
  );
}
