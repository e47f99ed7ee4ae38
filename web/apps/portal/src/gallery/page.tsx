/**
 * Every component of the design system in every state: to look at, to try, and for the browser tests.
 */
import { Brand, Button, ButtonLink, PageHead, Section, Spinner, StatusBadge, type Tone } from '@tandem/ui';
import { Plus } from 'lucide-react';

import { Preferences } from '../session/preferences';
import { ContentGallery, NoticeGallery, ProgressGallery, StateGallery } from './content';
import { FieldGallery } from './fields';
import { TableGallery } from './table';
import { WindowGallery } from './windows';
import { useWords } from './words';

const TONES: Tone[] = ['good', 'waiting', 'idle', 'info', 'bad'];

export function GalleryPage() {
  const words = useWords();
  return (
    <div>
      <header className="flex items-center justify-between gap-4 px-4 py-4 sm:px-8">
        <Brand />
        <Preferences />
      </header>
      <main className="mx-auto flex max-w-6xl flex-col gap-6 px-4 pb-10 sm:px-8">
        <PageHead title={words.title} lead={words.lead} />
        <Section title={words.table}>
          <TableGallery />
        </Section>
        <Section title={words.buttons}>
          <div className="flex flex-wrap items-center gap-2">
            <Button>{words.primary}</Button>
            <Button variant="secondary">{words.secondary}</Button>
            <Button variant="ghost">{words.ghost}</Button>
            <Button variant="danger">{words.danger}</Button>
            <Button variant="danger-soft">{words.danger_soft}</Button>
            <Button isDisabled>{words.disabled}</Button>
            <Button isPending>
              <Spinner size="sm" color="current" />
              {words.pending}
            </Button>
            <Button isIconOnly variant="secondary" aria-label={words.icon}>
              <Plus aria-hidden />
            </Button>
            <Button size="sm">{words.primary}</Button>
            <Button size="lg">{words.primary}</Button>
            <ButtonLink href="/gallery">{words.link}</ButtonLink>
          </div>
        </Section>
        <Section title={words.badges}>
          <div className="flex flex-wrap gap-2">
            {TONES.map((tone) => (
              <StatusBadge key={tone} tone={tone}>
                {words[tone]}
              </StatusBadge>
            ))}
            {TONES.map((tone) => (
              <StatusBadge key={tone} tone={tone} plain>
                {words[tone]}
              </StatusBadge>
            ))}
          </div>
        </Section>
        <Section title={words.notices}>
          <NoticeGallery />
        </Section>
        <Section title={words.fields}>
          <FieldGallery />
        </Section>
        <Section title={words.dialogs}>
          <WindowGallery />
        </Section>
        <Section title={words.progress}>
          <ProgressGallery />
        </Section>
        <Section title={words.content}>
          <ContentGallery />
        </Section>
        <Section title={words.states}>
          <StateGallery />
        </Section>
      </main>
    </div>
  );
}
