/**
 * Saved views: what a list shows, under a name. They belong to the person, not to the browser.
 */
import type { ListState } from './list-state';

export interface SavedView extends ListState {
  id: string;
  name: string;
  /** Chosen columns; absent: as the width allows. */
  columns?: string[];
}

/** Where views are kept. Each list has its own. */
export interface ViewStore {
  read: () => Promise<SavedView[]>;
  /** Replaces the view with the same name if there is one. */
  save: (view: Omit<SavedView, 'id'>) => Promise<void>;
  remove: (id: string) => Promise<void>;
}
