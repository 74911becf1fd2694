// Holds the lock of a folder and says so; ends when its standard input does.
import { lockDataDir } from '../../dist/store/lock-file.js';

const unlock = await lockDataDir(process.argv[2]);
process.stdout.write('held\n');
process.stdin.on('end', () => void unlock()).resume();
