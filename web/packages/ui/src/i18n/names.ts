/**
 * The texts of the components. Each folder adds its own with a `texts.d.ts`, so that no list of them is needed.
 */
export interface UiTexts {}
