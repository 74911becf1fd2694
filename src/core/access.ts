/** Who may do what: the scopes of API keys, and who asks. */

export const SCOPES = ['read', 'generate', 'train', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** `open`: whoever reaches a server that wants no keys. `nobody`: no key where one is needed. */
export type Viewer =
  | { readonly kind: 'open' }
  | { readonly kind: 'nobody' }
  | {
      readonly kind: 'key';
      readonly id: string;
      readonly name: string;
      readonly scopes: readonly Scope[];
      readonly budget: number | null;
    };

export const OPEN: Viewer = { kind: 'open' };
export const NOBODY: Viewer = { kind: 'nobody' };

/** An admin may do everything. */
export function mayUse(viewer: Viewer, scope: Scope): boolean {
  switch (viewer.kind) {
    case 'open':
      return true;
    case 'nobody':
      return false;
    case 'key':
      return viewer.scopes.includes(scope) || viewer.scopes.includes('admin');
  }
}

/** Equal for requests that may share an answer, and for all that a key has open. */
export function viewerId(viewer: Viewer): string {
  return viewer.kind === 'key' ? `key:${viewer.id}` : viewer.kind;
}
