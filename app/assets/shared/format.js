// How numbers and texts are written everywhere, and how what a person types is read.

/** @param {number | null | undefined} x */
export const number = (x, digits = 3) => {
  if (x == null || !Number.isFinite(x)) return "–";
  if (Math.abs(x) < 1e-12) return (0).toFixed(digits); // what float32 leaves of an exact 0
  const text =
    Math.abs(x) >= 1e5 || (x !== 0 && Math.abs(x) < 0.5 * 10 ** -digits)
      ? x.toExponential(1)
      : Math.abs(x) >= 100
        ? x.toFixed(1)
        : Math.abs(x) >= 10
          ? x.toFixed(Math.min(2, digits))
          : x.toFixed(digits);
  return text.replaceAll("-", "−");
};

/** @param {number} x  A number with its sign, unless it is written as 0. */
export const signed = (x) => `${x > 0 && x.toFixed(3) !== "0.000" ? "+" : ""}${number(x)}`;

/** @param {number} p  A policy's probability: a softmax never reaches 0 or 1, even where float32 does. */
export const percent = (p) => {
  if (p < 0.0005) return "< 0.1 %";
  if (p > 0.9995) return "> 99.9 %";
  return `${(100 * p).toFixed(1)} %`;
};

/** @param {number} p  A share that people state, exact at both ends. */
export const share = (p) => `${Number((100 * p).toFixed(1))} %`;

/** @param {string} text */
export const short = (text, most = 34) =>
  text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text;

/** @param {number} x  To three significant digits, as sliders set it. */
export const tidy = (x) => Number(x.toPrecision(3));

/**
 * What a field says as a number, or as it stands, so that the server can name what is wrong with it.
 * @param {string} text
 * @returns {number | string}
 */
export const numeric = (text) => {
  const plain = text.trim().replace(",", ".");
  return plain !== "" && Number.isFinite(Number(plain)) ? Number(plain) : text;
};
