/**
 * A page that could not be shown at all.
 */
import { useRouter } from '@tanstack/react-router';
import { Refusal } from '@tandem/api';
import { Brand, Failure } from '@tandem/ui';

export function FailedPage({ error }: { error: unknown }) {
  const router = useRouter();
  return (
    <main className="mx-auto flex max-w-xl flex-col gap-6 px-4 py-16">
      <Brand />
      <Failure
        detail={error instanceof Refusal ? error.message : undefined}
        onRetry={() => void router.invalidate()}
      />
    </main>
  );
}
