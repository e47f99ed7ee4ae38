/**
 * Before something is deleted: what that means, and what would break.
 */
import { Button } from '@heroui/react';
import type { ReactNode } from 'react';
import { Link } from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import { Dialog } from './dialog';

/** Something that uses what is to be deleted. */
export interface Reference {
  href: string;
  name: string;
  /** What it is, such as *Device*. */
  kind?: string;
}

interface DeleteDialogProps {
  title: string;
  open: boolean;
  onClose: () => void;
  /** What will happen; with `references`: why it cannot. */
  children: ReactNode;
  references?: readonly Reference[];
  /** It cannot be deleted, at least not now: there is nothing to confirm. */
  impossible?: boolean;
  confirm: string;
  onConfirm: () => void;
  pending?: boolean;
}

const NOTHING: readonly Reference[] = [];
/** More are counted only. */
const MOST_SHOWN = 20;

export function DeleteDialog(props: DeleteDialogProps) {
  const {
    title,
    open,
    onClose,
    children,
    references = NOTHING,
    impossible,
    confirm,
    onConfirm,
    pending,
  } = props;
  const { t } = useTranslation('ui');
  return (
    <Dialog
      title={title}
      open={open}
      onClose={onClose}
      footer={
        <>
          <Button variant="secondary" onPress={onClose} autoFocus>
            {t(impossible ? 'close' : 'cancel')}
          </Button>
          {!impossible && (
            <Button variant="danger" onPress={onConfirm} isPending={pending ?? false}>
              {confirm}
            </Button>
          )}
        </>
      }
    >
      {children}
      {references.length > 0 && (
        <ul className="mt-3 flex max-h-60 flex-col gap-1 overflow-y-auto">
          {references.slice(0, MOST_SHOWN).map(({ href, name, kind }) => (
            <li key={href} className="flex flex-wrap gap-x-2">
              <Link className="link" href={href} onPress={onClose}>
                {name}
              </Link>
              {kind && <span>{kind}</span>}
            </li>
          ))}
          {references.length > MOST_SHOWN && (
            <li>{t('references.more', { count: references.length - MOST_SHOWN })}</li>
          )}
        </ul>
      )}
    </Dialog>
  );
}
