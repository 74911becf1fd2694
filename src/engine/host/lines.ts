/** A child's output as lines: bounded, whatever the child writes. */

/** A longer line is cut here; its rest is dropped. */
const MAX_LINE = 2_000;

/** Calls `heard` with each line of the stream, without its end. */
export function readLines(stream: NodeJS.ReadableStream, heard: (line: string) => void): void {
  let line = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const [first = '', ...rest] = text.split(/\r?\n/);
    line = (line + first).slice(0, MAX_LINE);
    for (const next of rest) {
      if (line !== '') heard(line);
      line = next.slice(0, MAX_LINE);
    }
  });
  stream.on('end', () => {
    if (line !== '') heard(line);
  });
  // A pipe that breaks says no more; the child's exit is told elsewhere.
  stream.on('error', () => {});
}
