/**
 * Giving a device to somebody else, with what that changes on the phone.
 */
import { useNewest, useUpdate, type Device } from '@tandem/api';
import { Button, Dialog, Notice, SearchChoice, toast, type Choice } from '@tandem/ui';
import { UserRoundPen } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { RefusedNotice } from '../forms/refused-notice';
import { useTenant } from '../tenant';
import { useContactSearch } from './contact-choice';
import { formOf, inputOf, moveChanges } from './model';

interface MoveProps {
  device: Device;
  /** In a row: the sign alone. */
  small?: boolean;
}

export function Move({ device, small }: MoveProps) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button
        variant="secondary"
        size={small ? 'sm' : 'md'}
        isIconOnly={small ?? false}
        {...(small && { 'aria-label': t('devices.move_one', { name: device.name }) })}
        onPress={() => setAsking(true)}
      >
        <UserRoundPen aria-hidden />
        {!small && t('devices.move')}
      </Button>
      {asking && <MoveDialog device={device} onClose={() => setAsking(false)} />}
    </>
  );
}

function MoveDialog({ device, onClose }: { device: Device; onClose: () => void }) {
  const { t } = useTranslation(['portal', 'ui']);
  const { tenant } = useTenant();
  const [to, setTo] = useState<Choice>();
  const search = useContactSearch(tenant.id);
  const place = { tenant: tenant.id, name: 'devices' } as const;
  const read = useNewest(place, device.id);
  const update = useUpdate(place);
  const [failed, setFailed] = useState<Error | null>(null);
  const [moving, setMoving] = useState(false);

  async function move(contact: Choice) {
    setMoving(true);
    try {
      // Only the person changes, whatever else has changed since the list was read.
      const now = await read();
      const input = inputOf({ ...formOf(now), contact_id: contact.id });
      await update.mutateAsync({ id: now.id, version: now.version, input });
      toast.success(t('devices.moved', { name: device.name, to: contact.label }));
      onClose();
    } catch (error) {
      setFailed(error as Error);
      setMoving(false);
    }
  }

  return (
    <Dialog
      title={t('devices.move_title', { name: device.name })}
      open
      onClose={onClose}
      footer={
        <>
          <Button variant="secondary" onPress={onClose}>
            {t('ui:cancel')}
          </Button>
          <Button
            isDisabled={to === undefined || to.id === device.contact.id}
            isPending={moving}
            onPress={() => to && void move(to)}
          >
            {t('devices.move')}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <p>{t('devices.move_from', { from: device.contact.name })}</p>
        <SearchChoice label={t('devices.move_to')} value={to} onChange={setTo} search={search} />
        {to && <MoveChanges device={device} to={to} />}
        <RefusedNotice error={failed} />
      </div>
    </Dialog>
  );
}

/** What another person means for the phone; nothing while it is the same one. */
export function MoveChanges({ device, to }: { device: Device; to: Choice }) {
  const { t } = useTranslation();
  if (to.id === device.contact.id) return <Notice tone="info">{t('devices.move_same')}</Notice>;
  const names = { from: device.contact.name, to: to.label };
  return (
    <Notice tone="info">
      <ul className="list-disc ps-4" aria-label={t('devices.move_changes_title')}>
        {moveChanges(device).map((change) => (
          <li key={change}>{t(`devices.move_changes.${change}`, names)}</li>
        ))}
      </ul>
    </Notice>
  );
}
