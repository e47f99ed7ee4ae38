/**
 * Another e-mail address to sign in with. It counts once the link that is mailed there was followed.
 */
import { useChangeEmail } from '@tandem/api';
import { Button, Dialog, toast } from '@tandem/ui';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { requiredText, z } from '../forms/checks';
import { Form, TextField } from '../forms/form';
import { useSavedForm } from '../forms/saved-form';

const schema = z.object({ email: requiredText(254) });

export function ChangeEmail() {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button variant="secondary" onPress={() => setAsking(true)}>
        {t('security.change_email')}
      </Button>
      <Dialog title={t('security.change_email')} open={asking} onClose={() => setAsking(false)}>
        <div className="flex flex-col gap-5">
          <p>{t('security.change_email_text')}</p>
          <EmailForm onDone={() => setAsking(false)} />
        </div>
      </Dialog>
    </>
  );
}

function EmailForm({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const change = useChangeEmail();
  const form = useSavedForm({
    schema,
    values: { email: '' },
    save: async ({ email }) => {
      await change.mutateAsync(email);
      onDone();
      toast.success(t('security.email_sent', { email }));
    },
  });
  return (
    <Form {...form} passing action={t('security.send_link')} wide>
      <TextField
        name="email"
        type="email"
        label={t('security.new_email')}
        autoComplete="email"
        autoFocus
        technical
      />
    </Form>
  );
}
