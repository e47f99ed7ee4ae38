/**
 * Whether a device is there, as the live channel last said.
 */
import { useDeviceLive, type Device } from '@tandem/api';
import { StatusBadge } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import { DEVICE_TONES, INSTRUCTION_TONES } from './model';

export function useDeviceStatus(device: Device) {
  const live = useDeviceLive(device.id);
  return {
    status: live?.status ?? device.status,
    notStarted: live?.not_started ?? device.not_started,
    pendingUpdate: live?.pending_update ?? device.pending_update,
    instructions: live ? live.instructions : device.instructions?.state,
  };
}

export function DeviceBadge({ device }: { device: Device }) {
  const { t } = useTranslation();
  const { status, notStarted, pendingUpdate, instructions } = useDeviceStatus(device);
  // Nothing has failed: it waits for somebody to start it.
  if (notStarted) return <StatusBadge tone="waiting">{t('devices.not_started')}</StatusBadge>;
  const mail = status === 'not_activated' && instructions && INSTRUCTION_TONES[instructions];
  return (
    <span className="flex flex-wrap gap-1.5">
      <StatusBadge tone={DEVICE_TONES[status]}>{t(`devices.status.${status}`)}</StatusBadge>
      {mail && (
        <StatusBadge tone={mail} plain>
          {t(`devices.instructions.${instructions}`)}
        </StatusBadge>
      )}
      {pendingUpdate && status !== 'not_activated' && (
        <StatusBadge tone="waiting" plain>
          {t('devices.pending_update')}
        </StatusBadge>
      )}
    </span>
  );
}
