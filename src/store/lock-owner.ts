/** Who holds a lock, and whether that process still lives. Says so without doubt, or says that it cannot tell. */
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { z } from 'zod';

export const ownerSchema = z.object({
  /** Makes every lock's content its own. */
  id: z.uuid(),
  pid: z.int().positive(),
  host: z.string(),
  /** The boot and the pid namespace in which `pid` means something; null where the system does not tell. */
  realm: z.string().nullable(),
  /** When the process started, in the kernel's own count: tells a reused pid from the owner. Null where it cannot be had. */
  started: z.string().nullable(),
  since: z.string(),
  command: z.string(),
});
export type Owner = z.infer<typeof ownerSchema>;

export async function thisProcess(id: string): Promise<Owner> {
  return {
    id,
    pid: process.pid,
    host: hostname(),
    realm: await realmOfThisProcess(),
    started: await startOf(process.pid),
    since: new Date().toISOString(),
    command: process.argv.slice(0, 2).join(' '),
  };
}

/** `unknown`: its pid belongs to another machine or container, or to a boot before this one. */
export async function stateOf({ pid, host, realm, started }: Owner): Promise<'alive' | 'dead' | 'unknown'> {
  if (host !== hostname() || realm !== (await realmOfThisProcess())) return 'unknown';
  if (!isRunning(pid)) return 'dead';
  const seen = await startOf(pid);
  // Where a system does not tell when a process started, the pid may be another's by now.
  if (started === null || seen === null) return 'unknown';
  return seen === started ? 'alive' : 'dead';
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, and belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function realmOfThisProcess(): Promise<string | null> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return `${boot.trim()} ${await readlink('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}

/** Field 22 of /proc/<pid>/stat; the command before it is in parentheses and may hold anything. Null: cannot be had. */
async function startOf(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'ended' : (fields[19] ?? null);
  } catch {
    return null;
  }
}
