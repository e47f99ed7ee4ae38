/**
 * Around a dialog whose code is fetched when it is needed. When that cannot be had, the page stays as it is, with all
 * that was typed, and says what to do.
 */
import { toast } from '@tandem/ui';
import { Component, Suspense, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

interface LaterProps {
  children: ReactNode;
  /** It cannot be shown: whoever waits for an answer has to go on without. */
  onMissing?: () => void;
}

export function Later({ children, onMissing }: LaterProps) {
  const { t } = useTranslation();
  return (
    <Boundary
      onError={() => {
        // It stays until it was read: what was typed has to be copied first.
        toast.danger(t('outdated.title'), {
          description: t('outdated.text'),
          timeout: 0,
          actionProps: { children: t('outdated.reload'), onPress: () => window.location.reload() },
        });
        onMissing?.();
      }}
    >
      <Suspense>{children}</Suspense>
    </Boundary>
  );
}

interface BoundaryProps {
  children: ReactNode;
  onError: () => void;
}

class Boundary extends Component<BoundaryProps, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override componentDidCatch() {
    this.props.onError();
  }

  override render() {
    return this.state.failed ? null : this.props.children;
  }
}
