/** `fetch` for streams: one that says nothing for too long breaks, instead of waiting for ever on a dead connection. */

const STREAMS = /text\/event-stream|multipart\/mixed/i;

/** For answers that are streams; all others take the time that they need. */
export function fetchThatNoticesSilence(silenceMs: number): typeof fetch {
  return async (input, init) => {
    if (!STREAMS.test(new Headers(init?.headers).get('accept') ?? '')) return fetch(input, init);
    const patience = new Patience(silenceMs);
    const response = await patience.with(fetch(input, init));
    if (response.body === null || !STREAMS.test(response.headers.get('content-type') ?? '')) return response;
    const { status, statusText, headers } = response;
    return new Response(breaksWhenSilent(response.body, patience), { status, statusText, headers });
  };
}

function breaksWhenSilent(body: ReadableStream<Uint8Array>, patience: Patience): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await patience.with(reader.read());
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        // The connection itself is let go of, too.
        reader.cancel(error).catch(() => undefined);
        throw error;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

class Patience {
  readonly #ms: number;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** @throws where `work` takes longer */
  async with<T>(work: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`The server has said nothing for ${this.#ms} ms`)), this.#ms);
    });
    try {
      return await Promise.race([work, silence]);
    } finally {
      clearTimeout(timer);
    }
  }
}
