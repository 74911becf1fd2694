// The two ways in which a script does not go on.

/** An end that is the user's to mend: told as it is, without a stack trace. */
export class Stop extends Error {}

/** One way to TensorFlow that did not work here, with what to tell about it; the next way is tried. */
export class Failure extends Error {
  /**
   * @param {string} message
   * @param {string} details
   */
  constructor(message, details) {
    super(message);
    this.details = details;
  }
}
