/**
 * string-width, for the bundles: evaluated at the first call. It makes an Intl.Segmenter, whose rules take ICU as long to
 * load as all the rest of a `vminfo list`, whose texts are nearly always ASCII and never need it.
 */
export default function stringWidth(...args) {
  return require('../node_modules/string-width/index.js').default(...args);
}
