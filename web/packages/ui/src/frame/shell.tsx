/**
 * The frame of an application: navigation at the side where there is room, behind a button where there is none.
 */
import { Button } from '@heroui/react';
import { Menu, X } from 'lucide-react';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { Dialog, Link, Modal, ModalOverlay } from 'react-aria-components';
import { useTranslation } from 'react-i18next';

import { Brand } from './brand';
import type { Icon } from '../feedback/feedback';
import { useMedia } from './media';

export interface NavigationItem {
  href: string;
  label: string;
  icon: Icon;
  current: boolean;
}

/** Items that belong together, under a heading if they have one. */
export interface NavigationGroup {
  id: string;
  label?: string | undefined;
  items: NavigationItem[];
}

interface AppShellProps {
  groups: NavigationGroup[];
  /** Where one is: the choice of tenant. */
  place: ReactNode;
  /** The way to everything: the palette's button. It is shown once, however narrow the window. */
  search: ReactNode;
  /** Who one is: the person's menu. */
  person: ReactNode;
  /** Above the page: what everyone must know now. */
  banner?: ReactNode;
  children: ReactNode;
}

export function AppShell({ groups, place, search, person, banner, children }: AppShellProps) {
  const { t } = useTranslation('ui');
  const [open, setOpen] = useState(false);
  const wide = useMedia('(width >= 64rem)');
  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[15.5rem_minmax(0,1fr)]">
      <a
        href="#content"
        className="focusable sr-only z-50 rounded-lg bg-accent px-4 py-2 text-accent-foreground focus:not-sr-only focus:fixed focus:start-3 focus:top-3"
      >
        {t('shell.skip')}
      </a>

      <header className="no-print sticky top-0 z-20 flex h-14 items-center gap-3 border-b border-border bg-surface/90 px-4 backdrop-blur lg:hidden">
        <Button isIconOnly variant="ghost" aria-label={t('shell.open_menu')} onPress={() => setOpen(true)}>
          <Menu aria-hidden />
        </Button>
        <Brand />
        {!wide && <div className="ms-auto">{search}</div>}
      </header>

      <ModalOverlay
        isOpen={open}
        onOpenChange={setOpen}
        isDismissable
        className="fixed inset-0 z-(--z-index-overlay) bg-backdrop data-[entering]:animate-in data-[entering]:fade-in-0 motion-reduce:animate-none lg:hidden"
      >
        <Modal className="h-dvh w-72 max-w-[85vw] bg-surface shadow-overlay data-[entering]:animate-in data-[entering]:slide-in-from-left motion-reduce:animate-none">
          <Dialog aria-label={t('shell.main')} className="flex h-full flex-col outline-none">
            <div className="absolute end-3 top-3">
              <Button
                isIconOnly
                variant="ghost"
                aria-label={t('shell.close_menu')}
                onPress={() => setOpen(false)}
              >
                <X aria-hidden />
              </Button>
            </div>
            <Side groups={groups} place={place} person={person} onFollow={() => setOpen(false)} />
          </Dialog>
        </Modal>
      </ModalOverlay>

      <header className="no-print sticky top-0 hidden h-dvh border-e border-border bg-surface lg:block">
        <Side groups={groups} place={place} search={wide && search} person={person} />
      </header>

      <div className="min-w-0">
        {banner}
        <main id="content" tabIndex={-1} className="mx-auto max-w-6xl px-4 py-6 outline-none sm:px-8 sm:py-9">
          {children}
        </main>
      </div>
    </div>
  );
}

interface SideProps extends Pick<AppShellProps, 'groups' | 'place' | 'person'> {
  search?: ReactNode;
  onFollow?: () => void;
}

function Side({ groups, place, search, person, onFollow }: SideProps) {
  const { t } = useTranslation('ui');
  return (
    <div className="flex h-full flex-col gap-5 p-4">
      <div className="px-2 pt-1">
        <Brand />
      </div>
      {place}
      {search}
      {/* What is cut off fades: there is more below. */}
      <nav
        aria-label={t('shell.main')}
        className="flex-1 overflow-y-auto [mask-image:linear-gradient(to_bottom,black_calc(100%-2rem),transparent)]"
      >
        <div className="flex flex-col gap-4 pb-8">
          {groups.map(({ id, label, items }) => (
            <section key={id} aria-label={label}>
              {label && <h2 className="mb-1 px-2.5 text-xs font-medium text-muted">{label}</h2>}
              <ul className="flex flex-col gap-0.5">
                {items.map((item) => (
                  <Place key={item.href} item={item} onFollow={onFollow} />
                ))}
              </ul>
            </section>
          ))}
        </div>
      </nav>
      <div className="border-t border-separator pt-3">{person}</div>
    </div>
  );
}

interface PlaceProps {
  item: NavigationItem;
  onFollow: (() => void) | undefined;
}

function Place({ item: { href, label, icon: Picture, current }, onFollow }: PlaceProps) {
  const place = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (current) place.current?.scrollIntoView({ block: 'nearest' });
  }, [current]);
  return (
    <li ref={place} className="scroll-my-8">
      <Link
        href={href}
        onPress={onFollow}
        aria-current={current ? 'page' : undefined}
        className={`focusable flex min-h-9 items-center gap-3 rounded-lg px-2.5 text-sm font-medium transition-colors pointer-coarse:min-h-11 ${
          current
            ? 'bg-accent-soft text-accent-soft-foreground'
            : 'text-muted data-[hovered]:bg-surface-secondary data-[hovered]:text-foreground'
        }`}
      >
        <Picture className="size-[1.125rem] shrink-0" aria-hidden />
        {label}
      </Link>
    </li>
  );
}
