import { parentPort, workerData } from 'node:worker_threads';
import { runThread } from './run.js';

runThread(workerData, () => parentPort!.postMessage('ready'));
