/** The files in a ZIP, read by another implementation than the one that writes them. */
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import yauzl from 'yauzl';

/** @throws where it is no whole ZIP, or a file's checksum is another */
export async function unzip(zip: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const opened = await new Promise<yauzl.ZipFile>((resolve, reject) => {
    yauzl.fromBuffer(zip, { lazyEntries: true }, (error, file) => (error === null ? resolve(file) : reject(error)));
  });
  const ended = once(opened, 'end');
  const failed = once(opened, 'error').then(([error]) => Promise.reject(error));
  opened.on('entry', (entry: yauzl.Entry) => {
    opened.openReadStream(entry, async (error, stream) => {
      if (error !== null) return void opened.emit('error', error);
      if (files.has(entry.fileName)) return void opened.emit('error', new Error(`${entry.fileName} is there twice`));
      files.set(entry.fileName, await buffer(stream));
      opened.readEntry();
    });
  });
  opened.readEntry();
  await Promise.race([ended, failed]);
  return files;
}
