// npm run conformance: the ONNX conformance cases through the public API of a fresh build; options as in tests/conformance/run.mjs.
import { main } from '../tests/conformance/run.mjs';
import { building, buildPackage } from './build.mjs';
import { setup } from './setup.mjs';

await setup();
await building(buildPackage);
await main(process.argv.slice(2));
