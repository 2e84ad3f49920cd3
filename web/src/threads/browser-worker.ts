import { runThread } from './run.js';

addEventListener('message', ({ data }) => runThread(data, () => postMessage('ready')), { once: true });
