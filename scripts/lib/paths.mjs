// Where things lie in the project folder. Nothing here is ever outside of it.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** TensorFlow, our stamps and the lock: ours to fill, ignored by git, safe to delete. */
export const work = join(root, '.tensorflow');
export const modules = join(root, 'node_modules');
export const dist = join(root, 'dist');
