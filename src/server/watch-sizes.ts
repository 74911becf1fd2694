/** Numbers that are looked up when the metrics are asked for: connections, streams, training. */
import type { Services } from '../resolvers/context.ts';
import { runCountsByStatus, runSpeed } from '../store/runs.ts';
import type { Connections } from './connections.ts';
import type { Meters } from './meters.ts';
import type { StreamHub } from './streams/hub.ts';
import type { HttpStreams } from './transports/http-streams.ts';
import type { SocketServer } from './transports/websocket.ts';

export interface Sized {
  readonly sockets: SocketServer;
  readonly streams: HttpStreams;
  readonly hub: StreamHub;
  readonly connections: Connections;
  readonly services: Services;
}

export function watchSizes(meters: Meters, { sockets, streams, hub, connections, services }: Sized): void {
  const { db, delivery, painting } = services;
  meters.gauge('artgan_connections', 'Sockets and HTTP streams that are open', () => connections.open);
  meters.gauge('artgan_sockets', 'WebSockets that are open', () => sockets.size);
  meters.gauge('artgan_http_streams', 'HTTP streams that are open', () => streams.size);
  meters.gauge('artgan_streams', 'Subscriptions that are open', () => hub.sizes.streams);
  meters.gauge('artgan_channels', 'Questions that subscriptions share', () => hub.sizes.channels);
  meters.gauge('artgan_training_runs', 'Training runs by status', () => runCountsByStatus(db));
  meters.gauge('artgan_training_images_per_second', 'Pictures a second of the running runs', () => runSpeed(db));
  meters.gauge('artgan_engine_ready', 'Whether the engine can paint: 1 or 0', () => Number(painting.load.ready));
  meters.gauge('artgan_pictures_waiting', 'Pictures that wait for the engine', () => painting.load.waiting);
  meters.gauge('artgan_encodings_waiting', 'Pictures that wait to be encoded', () => delivery.load.waiting);
  meters.gauge('artgan_image_cache_bytes', 'Pictures kept on the disk', () => delivery.load.diskBytes);
  meters.gauge('artgan_pictures_painted', 'Pictures painted since the start', () => painting.load.painted);
}
