/**
 * The frame of the pages outside: sign-in, first password, activation.
 */
import { Brand } from '@tandem/ui';
import type { ReactNode } from 'react';

import { Preferences } from './preferences';

interface WelcomeProps {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
  wide?: boolean;
}

export function Welcome({ title, lead, children, wide }: WelcomeProps) {
  return (
    <div className="welcome flex min-h-dvh flex-col">
      <header className="flex items-center justify-between gap-4 px-4 py-4 sm:px-8">
        <Brand />
        <Preferences />
      </header>
      <main className="flex flex-1 flex-col items-center px-4 py-8 sm:justify-center sm:pb-24">
        <div className={`card w-full p-6 sm:p-9 ${wide ? 'max-w-xl' : 'max-w-md'}`}>
          <h1 className="text-2xl font-semibold tracking-tight text-balance">{title}</h1>
          {lead && <p className="mt-1.5 text-pretty text-muted">{lead}</p>}
          <div className="mt-7">{children}</div>
        </div>
      </main>
    </div>
  );
}
