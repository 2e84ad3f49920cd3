// One run at a time: a lock file that names its process, taken over when that process is gone.

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { say, Failure } from './run.mjs';

// A process id can be used again by another process: its start time tells them apart (Linux).
function identity(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return `${pid}`;
  }
}

function alive(owner) {
  const pid = Number.parseInt(owner, 10);
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === 'ESRCH') return false;
  }
  return identity(pid) === owner.trim();
}

// Two runs may find the same dead owner: moving the file away before looking again keeps the later one from
// removing the lock that the earlier one has just taken.
function breakLock(file, owner, aside) {
  try {
    renameSync(file, aside);
    if (readFileSync(aside, 'utf8') !== owner) linkSync(aside, file);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
  rmSync(aside, { force: true });
}

/** Calls `work` while holding `file`; waits while another run holds it. */
export async function withLock(file, work) {
  mkdirSync(dirname(file), { recursive: true });
  const own = `${file}.${process.pid}`;
  const deadline = Date.now() + 60 * 60_000;
  writeFileSync(own, identity(process.pid));
  try {
    for (let told = false; ; ) {
      try {
        linkSync(own, file);  // unlike creating and then writing, this shows others a whole file or none
        break;
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      let owner = '';
      try {
        owner = readFileSync(file, 'utf8');
      } catch (error) {
        if (error.code === 'ENOENT') continue;
        throw error;
      }
      if (!alive(owner)) {
        breakLock(file, owner, `${own}.stale`);
        continue;
      }
      if (Date.now() > deadline) throw new Failure(`process ${owner} has held ${file} for an hour`);
      if (!told) {
        say(`waiting for another run (process ${owner.split(' ')[0]}) to finish its set-up or build`);
        told = true;
      }
      await sleep(500);
    }
  } finally {
    rmSync(own, { force: true });
  }
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.removeListener('exit', release);
    release();
  }
}
