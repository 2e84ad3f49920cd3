// npm start: installs what is missing, builds, and serves the demo.

import { building, buildDemo } from './build.mjs';
import { demoDir } from './lib/project.mjs';
import { command, Failure } from './lib/run.mjs';
import { serve, wantedPort } from './serve.mjs';
import { setup } from './setup.mjs';

await command(async () => {
  const port = wantedPort();
  await setup();
  await building(() => buildDemo({ threads: false }));
  const server = await serve(demoDir, port).catch((error) => {
    const why = { EADDRINUSE: 'is in use', EACCES: 'needs privileges' }[error.code];
    if (why) throw new Failure(`port ${port} ${why}; choose another: PORT=8080 npm start`);
    throw error;
  });
  console.log(`\n  Kinglet's demo is at http://localhost:${server.address().port}/   (Ctrl+C stops it)\n`);
});
