import type { Quad } from '../core.js';
import { ModelError, type Session } from '../index.js';

/** A text and how sure the recognizer is of it, [0, 1]. */
export interface Decoded {
  text: string;
  confidence: number;
}

// Inputs of few widths share their plans; PP-OCR is trained on lines padded with zeros.
const widthStep = 32;

/** Runs a session on an input that another session's instance holds: `floats` values at `address`. */
async function runOn<T>(
  session: Session,
  dims: number[],
  input: Uint8Array,
  use: (output: { address: number; dims: number[] }, call: Parameters<Parameters<Session['enqueue']>[0]>[0]) => T,
): Promise<T> {
  return session.enqueue((instance) => {
    const address = instance.call('feed', session.inputs[0]!.name, 'float32', dims);
    instance.view(address, input.length).set(input);
    const [output] = instance.call('run', [session.outputs[0]!.name]);
    if (output?.type !== 'float32') throw new ModelError(`the model gives ${output?.type}, not float32`);
    return use({ address: output.address!, dims: output.dims }, instance);
  });
}

/** The line turned by half when the classifier finds it upside down. */
export async function straighten(detector: Session, classifier: Session, quad: Quad): Promise<Quad> {
  return detector.enqueue(async (pictures) => {
    const { lineHeight, orientationWidth } = pictures.core;
    const input = pictures.view(pictures.call('classifierInput', quad), 4 * 3 * lineHeight * orientationWidth);
    const turned = await runOn(classifier, [1, 3, lineHeight, orientationWidth], input, ({ address, dims }, instance) =>
      instance.call('isUpsideDown', address, dims.reduce((a, b) => a * b, 1)),
    );
    return turned ? pictures.call('halfTurn', quad) : quad;
  });
}

/** Reads one line of the picture that the detector's instance holds. */
export async function recognize(detector: Session, recognizer: Session, quad: Quad): Promise<Decoded & { preprocess: number; run: number }> {
  return detector.enqueue(async (pictures) => {
    const start = performance.now();
    const { lineHeight } = pictures.core;
    const width = Math.ceil(pictures.call('lineWidth', quad) / widthStep) * widthStep;
    const input = pictures.view(pictures.call('recognizerInput', [quad], width), 4 * 3 * lineHeight * width);
    const prepared = performance.now();
    const decoded = await runOn(recognizer, [1, 3, lineHeight, width], input, ({ address, dims }, instance) => {
      if (dims.length !== 3) throw new ModelError(`the recognizer gives [${dims}], not [1,steps,classes]`);
      return instance.call('decodeLine', address, dims[1]!, dims[2]!);
    });
    return { ...decoded, preprocess: prepared - start, run: performance.now() - prepared };
  });
}
