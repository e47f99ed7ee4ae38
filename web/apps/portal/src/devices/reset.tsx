/**
 * A new start for a device: a new link and code, and whatever was the device before is not any more.
 */
import { useResetActivation, type Activation, type Device } from '@tandem/api';
import { Button, ConfirmDialog, Notice, toast } from '@tandem/ui';
import { RotateCcw } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useErrorText } from '../forms/error-text';
import { messagesOf } from '../forms/refused';
import { useTenant } from '../tenant';

interface ResetProps {
  device: Device;
  state: Activation['state'] | 'desk_phone';
}

export function Reset({ device, state }: ResetProps) {
  const { t } = useTranslation();
  const { tenant } = useTenant();
  const reset = useResetActivation(tenant.id, device.id);
  const errorText = useErrorText();
  const [asking, setAsking] = useState(false);
  const refused = reset.error && errorText(messagesOf(reset.error, []).whole);
  return (
    <>
      <Button
        variant={state === 'expired' ? 'primary' : 'secondary'}
        onPress={() => {
          reset.reset();
          setAsking(true);
        }}
      >
        <RotateCcw aria-hidden />
        {t('activation.reset')}
      </Button>
      <ConfirmDialog
        title={t('activation.reset_title', { name: device.name })}
        open={asking}
        onClose={() => setAsking(false)}
        confirm={t('activation.reset')}
        pending={reset.isPending}
        onConfirm={() =>
          reset.mutate(undefined, {
            onSuccess: () => {
              setAsking(false);
              toast.success(t('activation.reset_done'));
            },
          })
        }
      >
        <p>{t(`activation.reset_text.${state}`)}</p>
        {refused && (
          <div className="mt-4">
            <Notice tone="danger" alert>
              {refused}
            </Notice>
          </div>
        )}
      </ConfirmDialog>
    </>
  );
}
