// npm run conformance: the ONNX conformance cases through the public API; options as in tests/conformance/run.mjs.
import { main } from '../tests/conformance/run.mjs';

await main(process.argv.slice(2));
