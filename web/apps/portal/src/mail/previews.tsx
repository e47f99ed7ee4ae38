/**
 * How each kind of mail looks, with invented data.
 */
import { useMailPreview, type Language, type MailKind } from '@tandem/api';
import { ChoiceField, Placeholder, Section } from '@tandem/ui';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useTenant } from '../tenant';
import { MailFrame, Verbatim } from './frame';
import { KINDS, LANGUAGES } from './model';
import { Views } from './views';

export function Previews() {
  const { t, i18n } = useTranslation();
  const { tenant } = useTenant();
  const [kind, setKind] = useState<MailKind>('activation');
  const [language, setLanguage] = useState<Language>(i18n.language.startsWith('de') ? 'de' : 'en');
  const { data } = useMailPreview(tenant.id, kind, language);
  return (
    <Section title={t('mail.preview')} lead={t('mail.preview_lead')}>
      <div className="mb-4 grid gap-4 sm:grid-cols-2">
        <ChoiceField
          label={t('mail.kind_title')}
          value={kind}
          onChange={(id) => setKind(KINDS.find((known) => known === id) ?? kind)}
          choices={KINDS.map((id) => ({ id, label: t(`mail.kind.${id}`) }))}
        />
        <ChoiceField
          label={t('instructions.language')}
          value={language}
          onChange={(id) => setLanguage(LANGUAGES.find((known) => known === id) ?? language)}
          choices={LANGUAGES.map((id) => ({ id, label: t(`mail.language.${id}`) }))}
        />
      </div>
      {data ? (
        <>
          <p className="mb-3 font-medium" data-testid="preview-subject">
            {data.subject}
          </p>
          <Views
            label={t('mail.view')}
            views={[
              {
                id: 'html',
                title: t('mail.view_html'),
                show: () => <MailFrame html={data.html} title={data.subject} />,
              },
              {
                id: 'text',
                title: t('mail.view_text'),
                show: () => <Verbatim text={data.text} label={t('mail.view_text')} />,
              },
            ]}
          />
        </>
      ) : (
        <Placeholder />
      )}
    </Section>
  );
}
