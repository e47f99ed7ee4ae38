/**
 * The people of the tenant.
 */
import { contactExportAddress, type Contact } from '@tandem/api';
import { ButtonLink, type TableColumn, type TableFilter } from '@tandem/ui';
import { Download, Upload, Users } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { ListPage } from '../lists/list-page';
import { Nothing } from '../pages/nothing';
import { useTenant } from '../tenant';
import { ContactsBulk } from './bulk';
import { nameOf, readable } from './model';

export function ContactsPage() {
  const { t } = useTranslation();
  const { tenant, path } = useTenant();
  const columns: TableColumn<Contact>[] = [
    {
      id: 'name',
      title: t('contacts.name'),
      sort: 'name',
      cell: (contact) => (
        <span>
          <span className="block font-medium">{nameOf(contact)}</span>
          <span className="block text-xs text-muted empty:hidden">
            {[contact.job_title, contact.company].filter(Boolean).join(', ')}
          </span>
        </span>
      ),
    },
    {
      id: 'extension',
      title: t('contacts.extension'),
      share: 0.6,
      cell: ({ extensions }) =>
        extensions?.length ? <span className="tabular-nums">{extensions.join(', ')}</span> : <Nothing />,
    },
    {
      id: 'company',
      title: t('contacts.company'),
      sort: 'company',
      spare: true,
      cell: ({ company }) => company,
    },
    {
      id: 'email',
      title: t('contacts.email'),
      share: 1.5,
      cell: ({ emails }) => <span className="break-all">{emails[0]?.address}</span>,
    },
    {
      id: 'number',
      title: t('contacts.number'),
      from: 'lg',
      cell: ({ numbers }) =>
        numbers[0] ? (
          <span className="whitespace-nowrap tabular-nums">{readable(numbers[0].number)}</span>
        ) : (
          <Nothing />
        ),
    },
    {
      id: 'devices',
      title: t('contacts.devices'),
      cell: ({ devices }) =>
        devices.length === 0 ? <Nothing /> : devices.map(({ name }) => name).join(', '),
    },
  ];
  const yesNo = [
    { id: 'true', label: t('yes') },
    { id: 'false', label: t('no') },
  ];
  const filters: TableFilter[] = [
    { name: 'has_device', title: t('contacts.has_device'), choices: yesNo },
    { name: 'in_directory', title: t('contacts.directory'), choices: yesNo },
  ];
  return (
    <ListPage
      name="contacts"
      icon={Users}
      columns={columns}
      filters={filters}
      nameOf={nameOf}
      actions={(state) => (
        <ButtonLink href={contactExportAddress(tenant.id, state)} variant="secondary" target="_blank">
          <Download aria-hidden />
          {t('contacts.export')}
        </ButtonLink>
      )}
      create={
        <ButtonLink href={path('/contacts/import')} variant="secondary">
          <Upload aria-hidden />
          {t('contacts.import')}
        </ButtonLink>
      }
      bulk={(picked) => <ContactsBulk picked={picked} />}
    />
  );
}
