/**
 * The texts of the portal. Each area adds its own with a `texts.d.ts`, so that no list of them is needed.
 */
export interface PortalTexts {}
