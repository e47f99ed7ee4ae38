/**
 * Sending the activation of a device to its person, and what became of the mail.
 */
import {
  useItem,
  useSendInstructions,
  useShowActivation,
  type Activation,
  type Device,
  type Language,
  type Mail,
} from '@tandem/api';
import { Button, ChoiceField, Dialog, Link, Notice, toast } from '@tandem/ui';
import { Eye, EyeOff, Mail as MailIcon } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useErrorText } from '../forms/error-text';
import { messagesOf } from '../forms/refused';
import { StaysHere } from '../mail/way';
import { AbsentAny } from '../pages/absent';
import { useDate } from '../pages/date';
import { useSentence } from '../refusals/use-sentence';
import { useTenant } from '../tenant';

interface HiddenProps {
  device: Device;
  activation: Activation;
}

/** In place of link and code: where they went. */
export function Hidden({ device, activation }: HiddenProps) {
  const { t } = useTranslation();
  const date = useDate();
  const { tenant } = useTenant();
  const show = useShowActivation(tenant.id, device.id);
  const errorText = useErrorText();
  const refused = show.error && errorText(messagesOf(show.error, []).whole);
  return (
    <div className="flex flex-col gap-4">
      {activation.instructions && <MailState mail={activation.instructions} />}
      <div className="flex items-start gap-3">
        <EyeOff className="mt-0.5 size-5 shrink-0 text-muted" aria-hidden />
        <div>
          <p>{t('instructions.hidden')}</p>
          <p className="text-xs text-muted">
            {t('activation.expires', { date: date(activation.expires_at) })}
          </p>
        </div>
      </div>
      <div>
        <Button variant="secondary" isPending={show.isPending} onPress={() => show.mutate()}>
          <Eye aria-hidden />
          {t('instructions.show')}
        </Button>
      </div>
      {refused && (
        <Notice tone="danger" alert>
          {refused}
        </Notice>
      )}
    </div>
  );
}

const TONES = {
  queued: 'info',
  sent: 'good',
  kept: 'warning',
  failed: 'danger',
  superseded: 'warning',
} as const;

/** How far the mail is, and why it is no further. */
function MailState({ mail }: { mail: Mail }) {
  const { t } = useTranslation();
  const { path } = useTenant();
  const date = useDate();
  const sentence = useSentence();
  const at = date(mail.ended_at ?? mail.created_at);
  return (
    <div role="status" data-testid="instructions">
      <Notice tone={mail.state === 'queued' && mail.reason ? 'warning' : TONES[mail.state]}>
        <p>{t(`instructions.${mail.state}`, { address: mail.recipient, date: at })}</p>
        {mail.reason && <p>{t(`mail.reason.${mail.reason}`)}</p>}
        {mail.detail && <p>{t('instructions.server_said', { said: sentence(mail.detail) })}</p>}
        {mail.reason && mail.next_attempt_at && (
          <p>{t('instructions.retry_at', { date: date(mail.next_attempt_at) })}</p>
        )}
        {mail.reason && (
          <Link href={path('/mail')} className="link">
            {t('instructions.settings')}
          </Link>
        )}
      </Notice>
    </div>
  );
}

interface SendInstructionsProps {
  device: Device;
  /** They were sent before. */
  again: boolean;
}

export function SendInstructions({ device, again }: SendInstructionsProps) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  return (
    <div className="mt-6">
      <Button variant={again ? 'secondary' : 'primary'} onPress={() => setAsking(true)}>
        <MailIcon aria-hidden />
        {t(again ? 'instructions.again' : 'instructions.send')}
      </Button>
      {asking && <SendDialog device={device} onClose={() => setAsking(false)} />}
    </div>
  );
}

interface SendDialogProps {
  device: Device;
  onClose: () => void;
}

function SendDialog({ device, onClose }: SendDialogProps) {
  const { t } = useTranslation(['portal', 'ui']);
  const { tenant } = useTenant();
  const contact = useItem({ tenant: tenant.id, name: 'contacts' }, device.contact.id);
  const send = useSendInstructions(tenant.id, device.id);
  const errorText = useErrorText();
  const [chosen, setChosen] = useState('');
  const [language, setLanguage] = useState<Language | ''>('');
  const emails = contact.data?.emails ?? [];
  const address = chosen || (emails[0]?.address ?? '');
  const messages = send.error ? messagesOf(send.error, ['address']) : undefined;
  const refused = errorText(messages?.whole ?? messages?.fields[0]?.message);
  const submit = () =>
    send.mutate(
      { address, ...(language ? { language } : {}) },
      {
        onSuccess: () => {
          onClose();
          toast.success(t('instructions.queued_toast'));
        },
      },
    );
  return (
    <Dialog
      title={t('instructions.send')}
      open
      onClose={onClose}
      footer={
        <>
          <Button variant="secondary" onPress={onClose}>
            {t('ui:cancel')}
          </Button>
          <Button isDisabled={address === ''} isPending={send.isPending} onPress={submit}>
            {t('instructions.send')}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <p>{t('instructions.send_text')}</p>
        <StaysHere />
        <AbsentAny reads={[contact]} rows={1} />
        {contact.data && emails.length === 0 && (
          <Notice tone="warning">{t('instructions.no_address')}</Notice>
        )}
        {emails.length > 0 && (
          <ChoiceField
            label={t('instructions.address')}
            value={address}
            onChange={setChosen}
            choices={emails.map((email) => ({
              id: email.address,
              label: email.address,
              detail: t(`contacts.label.${email.label}`),
            }))}
          />
        )}
        <ChoiceField
          label={t('instructions.language')}
          value={language || 'default'}
          onChange={(id) => setLanguage(id === 'en' || id === 'de' ? id : '')}
          choices={[
            { id: 'default', label: t('instructions.language_default') },
            { id: 'en', label: t('mail.language.en') },
            { id: 'de', label: t('mail.language.de') },
          ]}
        />
        {refused && (
          <Notice tone="danger" alert>
            {refused}
          </Notice>
        )}
      </div>
    </Dialog>
  );
}
