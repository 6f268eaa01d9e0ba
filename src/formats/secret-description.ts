/**
 * What the description of a token secret says between its client and the rotation's name, where a stack has made it. A
 * secret that was there before and was lent to the stack has its owner's description.
 */
export const keptFresh = "; kept fresh by ";
