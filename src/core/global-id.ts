/** Ids that clients see: base64url("Type:id"), opaque to them and unique over all types. */

export interface GlobalId {
  readonly type: string;
  readonly id: string;
}

export function encodeGlobalId(type: string, id: string): string {
  return Buffer.from(`${type}:${id}`).toString('base64url');
}

/** Undefined where the text is not one. Only the canonical spelling is accepted, and no NUL, which databases refuse. */
export function decodeGlobalId(text: string): GlobalId | undefined {
  const plain = Buffer.from(text, 'base64url').toString('utf8');
  const found = /^([A-Z][A-Za-z]*):(.+)$/su.exec(plain);
  const [, type, id] = found ?? [];
  if (type === undefined || id === undefined || id.includes('\0')) return undefined;
  if (encodeGlobalId(type, id) !== text) return undefined;
  return { type, id };
}

/** The id below a global id of this type; any other text is taken as the id itself. */
export function localId(text: string, type: string): string {
  const global = decodeGlobalId(text);
  return global?.type === type ? global.id : text;
}
