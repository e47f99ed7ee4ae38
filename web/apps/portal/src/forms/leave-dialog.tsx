/**
 * The question whether to lose what was changed.
 */
import { Button, Dialog } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

interface LeaveDialogProps {
  onStay: () => void;
  onLeave: () => void;
}

export function LeaveDialog({ onStay, onLeave }: LeaveDialogProps) {
  const { t } = useTranslation();
  return (
    <Dialog
      title={t('leave.title')}
      open
      onClose={onStay}
      footer={
        <>
          <Button variant="secondary" onPress={onStay} autoFocus>
            {t('leave.stay')}
          </Button>
          <Button variant="danger" onPress={onLeave}>
            {t('leave.go')}
          </Button>
        </>
      }
    >
      <p>{t('leave.text')}</p>
    </Dialog>
  );
}
