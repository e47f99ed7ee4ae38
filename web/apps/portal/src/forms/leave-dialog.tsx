/**
 * The question whether to lose what was typed, or what is told only once.
 */
import { Button, Dialog } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

import type { Lost } from './leave-guard';

interface LeaveDialogProps {
  lost: Lost;
  onStay: () => void;
  onLeave: () => void;
}

export function LeaveDialog({ lost, onStay, onLeave }: LeaveDialogProps) {
  const { t } = useTranslation();
  return (
    <Dialog
      title={t(`leave.${lost}.title`)}
      open
      onClose={onStay}
      footer={
        <>
          <Button variant="secondary" onPress={onStay} autoFocus>
            {t('leave.stay')}
          </Button>
          <Button variant="danger" onPress={onLeave}>
            {t(`leave.${lost}.go`)}
          </Button>
        </>
      }
    >
      <p>{t(`leave.${lost}.text`)}</p>
    </Dialog>
  );
}
