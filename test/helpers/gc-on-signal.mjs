// Given to a server by --import: it collects all its garbage whenever it gets SIGUSR2, so that what a test reads is what the
// server holds, and not what its collector has not come to yet.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
process.on('SIGUSR2', () => collect());
