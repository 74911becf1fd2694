/** What the server counts, in Prometheus' words. Sizes are looked up when somebody asks. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface RanOperation {
  readonly transport: string;
  readonly type: string;
  /** OK, or the code of the first error. */
  readonly code: string;
  readonly seconds: number;
  readonly cost: number;
}

const MILLISECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];

export class Meters {
  readonly #registry = new Registry();
  readonly #operations: Histogram;
  readonly #cost: Counter;
  readonly #refusals: Counter;
  readonly #deliveries: Counter;
  readonly #lag: Histogram;
  readonly #dropped: Counter;

  constructor() {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#operations = new Histogram({
      name: 'artgan_operation_seconds',
      help: 'Time of operations by transport, type and code (OK, or that of the first error)',
      labelNames: ['transport', 'type', 'code'],
      buckets: MILLISECONDS,
      registers,
    });
    this.#cost = new Counter({
      name: 'artgan_operation_points_total',
      help: 'Points of operations that ran',
      registers,
    });
    this.#refusals = new Counter({
      name: 'artgan_refusals_total',
      help: 'Operations that were refused before they ran, by code',
      labelNames: ['code'],
      registers,
    });
    this.#deliveries = new Counter({
      name: 'artgan_stream_deliveries_total',
      help: 'Events that were sent to those who watch',
      registers,
    });
    this.#lag = new Histogram({
      name: 'artgan_stream_lag_seconds',
      help: 'From the writing of an event to its sending to the last who watches as it happens',
      buckets: MILLISECONDS,
      registers,
    });
    this.#dropped = new Counter({
      name: 'artgan_stream_drops_total',
      help: 'Connections that were ended by the server, by reason',
      labelNames: ['reason'],
      registers,
    });
  }

  /** `read` gives the values by the values of the label, or one value. */
  gauge(name: string, help: string, read: () => number | Promise<number> | Promise<ReadonlyMap<string, number>>): void {
    const byLabel = async (gauge: Gauge) => {
      const value = await read();
      if (typeof value === 'number') return gauge.set(value);
      gauge.reset();
      for (const [kind, count] of value) gauge.set({ kind }, count);
    };
    new Gauge({
      name,
      help,
      labelNames: ['kind'],
      registers: [this.#registry],
      collect() {
        return byLabel(this);
      },
    });
  }

  ran({ transport, type, code, seconds, cost }: RanOperation): void {
    this.#operations.observe({ transport, type, code }, seconds);
    this.#cost.inc(cost);
  }

  refused(code: string): void {
    this.#refusals.inc({ code });
  }

  /** `lagMs`: of the last of them; undefined for events that are read later than they happened. */
  delivered(count: number, lagMs?: number): void {
    this.#deliveries.inc(count);
    if (lagMs !== undefined) this.#lag.observe(Math.max(0, lagMs) / 1000);
  }

  dropped(reason: string): void {
    this.#dropped.inc({ reason });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
