/**
 * A list of one of the collections of a tenant: contacts, devices, accounts, providers.
 */
import { useRows, type CollectionName, type Collections } from '@tandem/api';
import { ButtonLink, type Icon, type ListState, type TableColumn, type TableFilter } from '@tandem/ui';
import { Plus } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { useTenant } from '../tenant';
import { ListFrame, type Picked } from './list-frame';
import { RemoveMany } from './remove-many';
import { useListAddress } from './state';

type Item<Name extends CollectionName> = Collections[Name]['item'];

interface ListPageProps<Name extends CollectionName> {
  name: Name;
  icon: Icon;
  columns: TableColumn<Item<Name>>[];
  filters?: TableFilter[];
  /** What a selected row is called when it is spoken of. */
  nameOf: (item: Item<Name>) => string;
  /** Beside *New …*, for everybody, while there is something. */
  actions?: (state: ListState) => ReactNode;
  /** Beside *New …* and on the empty page, for who may change things. */
  create?: ReactNode;
  /** What can be done with several; deleting one after the other when absent. */
  bulk?: (picked: Picked<Item<Name>>) => ReactNode;
  /** What uses a row, so that it cannot be deleted; for deleting one after the other. */
  usersOf?: (item: Item<Name>) => string[];
}

const NO_FILTERS: TableFilter[] = [];

export function ListPage<Name extends CollectionName>(props: ListPageProps<Name>) {
  const { name, icon, columns, filters = NO_FILTERS, nameOf, actions, create, bulk, usersOf } = props;
  const { t } = useTranslation();
  const { tenant, path, mayChange } = useTenant();
  const address = useListAddress(filters.map((filter) => filter.name));
  const { state, start } = address;
  const rows = useRows({ tenant: tenant.id, name }, { ...state, after: start?.after });
  const remove = ({ items, onDone }: Picked<Item<Name>>) => (
    <RemoveMany
      name={name}
      items={items.map((item) => ({ id: item.id, title: nameOf(item), users: usersOf?.(item) ?? [] }))}
      onDone={onDone}
    />
  );
  return (
    <ListFrame<Item<Name>>
      list={name}
      icon={icon}
      texts={{
        title: t(`${name}.title`),
        lead: t(`${name}.lead`),
        search: t(`${name}.search`),
        emptyTitle: t(`${name}.empty.title`),
        emptyText: t(`${name}.empty.text`),
      }}
      address={address}
      rows={rows}
      columns={columns}
      filters={filters}
      nameOf={nameOf}
      href={({ id }) => path(`/${name}/${id}`)}
      actions={actions?.(state)}
      create={
        mayChange && (
          <span className="flex flex-wrap justify-center gap-2">
            {create}
            <ButtonLink href={path(`/${name}/new`)}>
              <Plus aria-hidden />
              {t(`${name}.new`)}
            </ButtonLink>
          </span>
        )
      }
      bulk={mayChange ? (bulk ?? remove) : undefined}
      bulkAll={bulk !== undefined}
    />
  );
}
