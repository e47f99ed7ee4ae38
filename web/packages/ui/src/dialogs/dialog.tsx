/**
 * Dialogs. The page behind is inert, Escape leaves, and the focus comes back to where it was.
 */
import { Button, Modal } from '@heroui/react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

interface DialogProps {
  title: string;
  open: boolean;
  /** Absent: the dialog has to be answered. */
  onClose?: () => void;
  /** For what needs room, such as two versions beside each other. */
  wide?: boolean;
  children: ReactNode;
  footer?: ReactNode;
}

export function Dialog({ title, open, onClose, wide, children, footer }: DialogProps) {
  return (
    <Modal.Backdrop
      isOpen={open}
      onOpenChange={(shown) => !shown && onClose?.()}
      isDismissable={onClose !== undefined}
      isKeyboardDismissDisabled={onClose === undefined}
    >
      <Modal.Container size={wide ? 'lg' : 'sm'} placement="center">
        <Modal.Dialog>
          <Modal.Header>
            <Modal.Heading>{title}</Modal.Heading>
          </Modal.Header>
          <Modal.Body className="text-sm text-muted">{children}</Modal.Body>
          {footer && <Modal.Footer>{footer}</Modal.Footer>}
        </Modal.Dialog>
      </Modal.Container>
    </Modal.Backdrop>
  );
}

interface ConfirmDialogProps {
  title: string;
  open: boolean;
  onClose: () => void;
  /** What will happen, in plain words. */
  children: ReactNode;
  confirm: string;
  onConfirm: () => void;
  pending?: boolean;
  /** Why it cannot be done; the confirming button is then absent. */
  impossible?: boolean;
}

export function ConfirmDialog(props: ConfirmDialogProps) {
  const { t } = useTranslation('ui');
  const { onClose, onConfirm, confirm, pending, impossible } = props;
  return (
    <Dialog
      {...props}
      footer={
        <>
          <Button variant="secondary" onPress={onClose} autoFocus>
            {t(impossible ? 'close' : 'cancel')}
          </Button>
          {!impossible && (
            <Button variant="danger" onPress={onConfirm} isPending={pending}>
              {confirm}
            </Button>
          )}
        </>
      }
    />
  );
}
