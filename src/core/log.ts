/** What the parts ask of a logger; pino's has this shape. Fields first, so that each line can be searched by them. */
type Line = (fields: Readonly<Record<string, unknown>>, message: string) => void;

export interface Log {
  readonly debug: Line;
  readonly info: Line;
  readonly warn: Line;
  readonly error: Line;
}
