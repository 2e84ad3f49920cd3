// Why known cases fail: the first pattern that a failing case's id matches gives docs/operators.md its reason. A failing
// case without one is shown with what the engine said.
export const reasons = [
  [/^node\/test_image_decoder_/, 'ImageDecoder is left out: the page has decoders of its own, and Kinglet takes their pixels'],
  [/^node\/test_bernoulli/, 'the expected output is what NumPy happened to draw when the case was made, not what the node\'s own seed gives: a runtime agrees by chance only'],
  [/^node\/test_attention_4d_causal_fp16_expanded$/, 'one element is one unit in the last place of float16 away, which is 1.04e-3 of it: each node of the function rounds to float16'],
];

/** The known reason, or undefined. */
export const reasonFor = (id) => reasons.find(([pattern]) => pattern.test(id))?.[1];

/** Cases of few random numbers, which may agree by chance: that counts as a failure. */
export const isChance = (id) => /^node\/test_bernoulli/.test(id);
