/** LISTEN on a PostgreSQL server over one connection of its own, which is opened again when it breaks. */
import pg from 'pg';

const RECONNECT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** A connection whose other end has gone without a word is found out by the system's probes. */
export const KEEP_ALIVE_MS = 10_000;

export class Listener implements AsyncDisposable {
  readonly #connectionString: string;
  readonly #heard = new Map<string, Set<(payload: string) => void>>();
  #client: Promise<pg.Client> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(connectionString: string) {
    this.#connectionString = connectionString;
  }

  /** @throws where the server cannot be reached now; a connection that is lost later is opened again without end. */
  async listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>> {
    if (this.#closed) throw new Error('The database was closed');
    const listeners = this.#heard.get(channel) ?? new Set();
    const stop = async () => {
      listeners.delete(heard);
    };
    this.#heard.set(channel, listeners.add(heard));
    try {
      await (await this.#connected()).query(listenTo(channel));
    } catch (error) {
      await stop();
      throw error;
    }
    return stop;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#client?.then((client) => client.end()).catch(() => {});
  }

  #connected(): Promise<pg.Client> {
    if (this.#client !== undefined) return this.#client;
    const attempt: Promise<pg.Client> = this.#connect(() => this.#lost(attempt));
    this.#client = attempt;
    return attempt;
  }

  async #connect(lost: () => void): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#connectionString,
      application_name: 'artgan listener',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    });
    client.on('notification', ({ channel, payload }) => {
      for (const heard of this.#heard.get(channel) ?? []) heard(payload ?? '');
    });
    client.on('error', () => {});
    client.on('end', lost);
    try {
      await client.connect();
      for (const channel of this.#heard.keys()) await client.query(listenTo(channel));
    } catch (error) {
      lost();
      await client.end().catch(() => {});
      throw error;
    }
    return client;
  }

  /** Notices that fall into the gap are lost; who follows a log looks by itself now and then. */
  #lost(attempt: Promise<pg.Client>): void {
    // A connection ends once more after it has failed: by then there may be another, which stays.
    if (this.#client !== attempt) return;
    this.#client = undefined;
    if (this.#closed) return;
    clearTimeout(this.#retry);
    // A failed attempt has already planned the next one.
    this.#retry = setTimeout(() => this.#connected().catch(() => {}), RECONNECT_MS);
    this.#retry.unref();
  }
}

function listenTo(channel: string): string {
  return `listen ${pg.escapeIdentifier(channel)}`;
}
