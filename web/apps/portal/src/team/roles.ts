/**
 * The roles that can be given, with the most powerful first.
 */
import type { Role } from '@tandem/api';

export const ROLES: readonly Role[] = ['owner', 'administrator', 'read_only'];
