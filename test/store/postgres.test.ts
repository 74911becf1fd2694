import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { sql } from 'drizzle-orm';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replaceArtworks } from '../../src/store/datasets.ts';
import { openStore, ping } from '../../src/store/db.ts';
import { labelList, labelsOfDatasets, upsertLabels } from '../../src/store/labels.ts';
import { Listener } from '../../src/store/listener.ts';
import { readPage } from '../../src/store/page.ts';
import { readEvents } from '../../src/store/run-log.ts';
import { claimNextRun } from '../../src/store/runs.ts';
import { LOG_CHANNEL, runTopic } from '../../src/store/topic-log.ts';
import { type TestDatabase, testDatabase } from '../helpers/database.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { newDataset, newRun, pageFor } from './rows.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase();
});
afterEach(() => database[Symbol.asyncDispose]());

/** As its owner, beside the stores. */
async function administer(...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: database.options.databaseUrl });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

const urlWith = (change: { pathname?: string; username?: string; password?: string; host?: string }) =>
  Object.assign(new URL(database.options.databaseUrl ?? ''), change).href;

/** Cuts connections of the database from outside, as a restart of the server does. @returns how many there were. */
async function cut(name: string): Promise<number> {
  const client = new pg.Client({ connectionString: database.options.databaseUrl });
  await client.connect();
  const { rowCount } = await client.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and datname = current_database()',
    [name],
  );
  await client.end();
  return rowCount ?? 0;
}

describe('servers that share a PostgreSQL', () => {
  it('may start at the same moment on an empty database', async () => {
    const stores = await Promise.all(Array.from({ length: 5 }, () => openStore(database.options)));
    const [store] = stores;
    const rows = await store?.db.execute(sql`select count(*)::int as n from drizzle.__drizzle_migrations`);
    const migrations = (await readdir('src/store/migrations')).filter((name) => name.endsWith('.sql'));
    expect(rows).toMatchObject({ rows: [{ n: migrations.length }] });
    expect(store).toMatchObject({ kind: 'postgres', soleOwner: false });
    for (const each of stores) await each[Symbol.asyncDispose]();
  });

  it('hear of each other’s events once they can be read', async () => {
    await using one = await openStore(database.options);
    await using two = await openStore(database.options);
    const heard: string[] = [];
    const readable: Promise<boolean>[] = [];
    const stop = await two.listen(LOG_CHANNEL, (payload) => {
      const [, runId, seq] = /^run\/(.*):(\d+)$/.exec(payload) ?? [];
      // Other logs hear of it, too.
      if (runId === undefined) return;
      heard.push(payload);
      readable.push(
        readEvents(two.db, { runId, after: Number(seq) - 1, limit: 1 }).then(([event]) => event?.seq === Number(seq)),
      );
    });
    const run = await newRun(one.db, (await newDataset(one.db)).id);
    await claimNextRun(one.db, { owner: 'one', leaseMs: 60_000 });
    await waitFor(() => heard.length === 2);
    expect(heard).toEqual([`${runTopic(run.id)}:1`, `${runTopic(run.id)}:2`]);
    expect(await Promise.all(readable)).toEqual([true, true]);
    await stop();
    await two.db.execute(sql`select pg_notify(${LOG_CHANNEL}, 'unheard')`);
    const again: string[] = [];
    await two.listen(LOG_CHANNEL, (payload) => again.push(payload));
    await one.db.execute(sql`select pg_notify(${LOG_CHANNEL}, 'last')`);
    await waitFor(() => again.includes('last'));
    expect(heard).toHaveLength(2);
  });

  it('claim each run once', async () => {
    await using one = await openStore(database.options);
    await using two = await openStore(database.options);
    const { id } = await newDataset(one.db);
    const queued = await Promise.all(Array.from({ length: 30 }, () => newRun(one.db, id)));
    const claims = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        claimNextRun((i % 2 === 0 ? one : two).db, { owner: String(i % 2), leaseMs: 60_000 }),
      ),
    );
    const claimed = claims.flatMap((run) => run ?? []);
    expect(claimed.map((run) => run.id).toSorted()).toEqual(queued.map((run) => run.id).toSorted());
    expect(claimed.every(({ fence }) => fence === 1)).toBe(true);
  });

  it('survive the loss of their connections, and listen again', async () => {
    await using store = await openStore(database.options);
    const heard: string[] = [];
    await store.listen('channel', (payload) => heard.push(payload));
    await ping(store.db);
    expect(await cut('artgan')).toBeGreaterThan(0);
    expect(await cut('artgan listener')).toBe(1);
    await waitFor(() =>
      ping(store.db).then(
        () => true,
        () => false,
      ),
    );
    await waitFor(async () => {
      await store.db.execute(sql`select pg_notify('channel', 'again')`);
      return heard.includes('again');
    });
  });
});

describe('a listener', () => {
  it('may be asked again once the server can be reached, and hears each notice once', async () => {
    const { hostname, port } = new URL(database.options.databaseUrl ?? '');
    let connections = 0;
    const gate = createServer((socket) => {
      connections++;
      const server = connect(Number(port), hostname);
      socket.pipe(server).pipe(socket);
      for (const end of [socket, server]) end.on('error', () => {});
    });
    const openGate = async (at: number) => {
      gate.listen(at, '127.0.0.1');
      await once(gate, 'listening');
    };
    await openGate(0);
    const address = gate.address();
    const gatePort = typeof address === 'object' && address !== null ? address.port : 0;
    gate.close();
    await once(gate, 'close');

    await using listener = new Listener(urlWith({ host: `127.0.0.1:${gatePort}` }));
    const early: string[] = [];
    await expect(listener.listen('channel', (payload) => early.push(payload))).rejects.toThrow('ECONNREFUSED');
    await openGate(gatePort);
    const [one, two]: [string[], string[]] = [[], []];
    await Promise.all([
      listener.listen('channel', (payload) => one.push(payload)),
      listener.listen('Another "channel"', (payload) => two.push(payload)),
    ]);
    await administer(`notify channel, 'a'`, `notify "Another ""channel""", 'b'`, `notify channel, 'last'`);
    await waitFor(() => one.includes('last'));
    expect([early, one, two]).toEqual([[], ['a', 'last'], ['b']]);
    await listener[Symbol.asyncDispose]();
    await expect(listener.listen('channel', () => {})).rejects.toThrow('closed');
    expect(connections).toBe(1);
    gate.close();
    await once(gate, 'close');
  });
});

describe('the order of names', () => {
  it('is the database’s own, and the same from page to page', async () => {
    const { pathname } = new URL(database.options.databaseUrl ?? '');
    const name = `${pathname.slice(1)}_icu`;
    await administer(`create database ${name} template template0 locale_provider icu icu_locale 'en-US'`);
    const names = [
      'Zorn',
      'anna',
      'Ásgrímur',
      'Anna',
      'asta',
      'Öyvind',
      'O’Keeffe',
      'zorn',
      'Ølga',
      'Éva',
      'eva',
      'EVA',
    ];
    try {
      await using store = await openStore({ ...database.options, databaseUrl: urlWith({ pathname: `/${name}` }) });
      const { db } = store;
      const labels = await upsertLabels(
        db,
        names.map((each, i) => ({ kind: 'artist' as const, slug: `n${i}`, name: each })),
      );
      const { id } = await newDataset(db);
      const works = [...labels.values()].map(({ id: artistId }, i) => ({ file: `${i}`, packIndex: i, artistId }));
      await replaceArtworks(db, id, works);
      const whole = (await readPage(db, labelList('artist'), { first: 100 })).rows.map((row) => row.name);
      // By code points, Á would be behind e, and Z before it.
      expect(whole.indexOf('Ásgrímur')).toBeLessThan(whole.indexOf('eva'));
      expect(whole.slice(-2)).toEqual(['zorn', 'Zorn']);
      const read: string[] = [];
      for (let after: string | undefined; read.length <= names.length; ) {
        const page = await readPage(db, labelList('artist', { dataset: id }), { first: 1, after });
        read.push(...page.rows.map((row) => row.name));
        after = page.cursors[0];
        if (!(await page.hasNextPage())) break;
      }
      expect(read).toEqual(whole);
      const nested = await pageFor(db, labelsOfDatasets('artist'), id, { first: 100 });
      expect(nested.rows.map((row) => row.name)).toEqual(whole);
    } finally {
      await administer(`drop database ${name} with (force)`);
    }
  });
});

describe('a PostgreSQL that cannot be used', () => {
  it('says why: a user that may not make tables is told so', async () => {
    const { pathname } = new URL(database.options.databaseUrl ?? '');
    const username = `visitor_${pathname.slice(1)}`;
    await administer(`create role ${username} login password 'secret'`);
    const databaseUrl = urlWith({ username, password: 'secret' });
    const refusal = await openStore({ ...database.options, databaseUrl }).catch((error: unknown) => error);
    await administer(`drop role ${username}`);
    expect(refusal).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect(String(refusal)).toContain('permission denied for database');
    expect(String(refusal)).not.toMatch(/secret|Failed query/);
  });

  it('is named without its password', async () => {
    const url = new URL(database.options.databaseUrl ?? '');
    url.password = 'secret';
    url.pathname = '/no_such_database';
    const refusal = await openStore({ ...database.options, databaseUrl: url.href }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect(String(refusal)).toContain(`${url.host}/no_such_database`);
    expect(String(refusal)).toContain('DATABASE_URL');
    expect(String(refusal)).not.toContain('secret');
    url.port = '1';
    await expect(openStore({ ...database.options, databaseUrl: url.href })).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
    });
  });
});
