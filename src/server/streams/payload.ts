/** One event's answer as text, made once and sent to many; each form of it is kept for whoever needs the same. */

export class Payload {
  /** The ExecutionResult as JSON. */
  readonly json: Buffer;
  #framed: { readonly id: string; readonly frame: Buffer } | undefined;

  constructor(result: unknown) {
    this.json = Buffer.from(JSON.stringify(result));
  }

  /** A WebSocket frame with graphql-ws's `next` message. Clients often use equal ids: then it is the same frame. */
  frame(id: string): Buffer {
    if (this.#framed?.id === id) return this.#framed.frame;
    const frame = nextFrame(id, this.json);
    this.#framed = { id, frame };
    return frame;
  }
}

const FINAL_TEXT = 0x81;

/** RFC 6455, §5.2: a text in one frame, not masked, as servers send. */
function nextFrame(id: string, json: Buffer): Buffer {
  const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
  const headBytes = Buffer.byteLength(head);
  const size = headBytes + json.length + 1;
  const start = size < 126 ? 2 : size < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(start + size);
  frame[0] = FINAL_TEXT;
  if (start === 2) frame[1] = size;
  else if (start === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(size, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(size), 2);
  }
  frame.write(head, start);
  json.copy(frame, start + headBytes);
  frame[frame.length - 1] = 0x7d; // }
  return frame;
}
