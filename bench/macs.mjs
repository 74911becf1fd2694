// Multiplications of one training step of the ICIP 2017 network, a picture, counted by hand from its layers.

/** @param {number} w  width @param {number} labels */
export function macsOfStep(w, labels) {
  const dense = (100 + labels) * 128 * w;
  // Kernel places x channels x positions: of the output for a convolution, of the input for a transposed one.
  const deconv2 = 16 * 8 * w * 4 * w * 4 ** 2;
  const decoder = [16 * 4 * w * 2 * w * 8 ** 2, 16 * 2 * w * w * 16 ** 2, 9 * w * w * 32 ** 2, 16 * w * 3 * 32 ** 2];
  const conv1 = 16 * 3 * w * 32 ** 2;
  const encoder = [9 * w * w * 32 ** 2, 16 * w * 2 * w * 16 ** 2, 16 * 2 * w * 4 * w * 8 ** 2];
  const classifier = [16 * 4 * w * 8 * w * 4 ** 2, 128 * w * (labels + 1)];
  const sum = (/** @type {readonly number[]} */ values) => values.reduce((all, value) => all + value, 0);
  const [dec, enc, cls] = [sum(decoder), sum(encoder), sum(classifier)];
  // Forward, gradient of the weights, gradient of the input; what nobody needs is left out.
  const generator = 2 * dense + 3 * (deconv2 + dec);
  const discriminator = 2 * (2 * conv1 + 3 * (enc + cls));
  const throughDiscriminator = 2 * (conv1 + enc + cls);
  const reconstruction = conv1 + enc + 3 * dec - (decoder[0] ?? 0);
  return generator + discriminator + throughDiscriminator + reconstruction;
}
