/** How tokens without a text of their own are shown: the end, and one of several that make a character. */
export const SIGN_OF_END = "■";
export const SIGN_OF_PART = "·";
