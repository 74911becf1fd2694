/** A growing log of entries in memory, as a channel reads it. */
import type { LogEntry } from '../../src/core/event-stream.ts';
import type { GrowingLog } from '../../src/core/follow-log.ts';

export interface Note extends LogEntry {
  readonly kind: 'metrics' | 'state' | 'end';
}

export class MemoryLog implements GrowingLog<Note> {
  readonly notes: Note[] = [];
  readonly #listeners = new Set<() => void>();
  reads = 0;

  get listeners(): number {
    return this.#listeners.size;
  }

  /** `atMs`: when it happened. */
  append(kind: Note['kind'] = 'metrics', atMs = this.notes.length): void {
    this.notes.push({ seq: this.notes.length + 1, at: new Date(atMs), kind });
    for (const grown of [...this.#listeners]) grown();
  }

  async read(after: number, limit: number): Promise<readonly Note[]> {
    this.reads += 1;
    return this.notes.slice(after, after + limit);
  }

  onGrow(grown: () => void): () => void {
    this.#listeners.add(grown);
    return () => this.#listeners.delete(grown);
  }

  isLast({ kind }: Note): boolean {
    return kind === 'end';
  }

  isOver(): Promise<boolean> {
    return Promise.resolve(this.notes.at(-1)?.kind === 'end');
  }
}
