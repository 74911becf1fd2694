/** A Log that keeps its lines, for tests that look at them. */
import type { Log } from '../../src/core/log.ts';

export interface RecordingLog extends Log {
  readonly lines: { readonly level: string; readonly message: string }[];
}

export function recordingLog(): RecordingLog {
  const lines: RecordingLog['lines'] = [];
  const at = (level: string) => (_fields: Readonly<Record<string, unknown>>, message: string) => {
    lines.push({ level, message });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
