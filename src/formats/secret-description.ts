/**
 * What the description of a token secret says between its client and the rotation's name, where a stack has made it. A
 * secret that was there before and was lent to the stack has its owner's description.
 */
export const keptFresh = "; kept fresh by ";

/**
 * Whether a rotation has made a secret, by its description: one that another rotation has made is lent to it, too.
 *
 * @param rotator the name of the function that rotates the secret; undefined where none ever has
 */
export function isMadeBy(description: string, rotator: string | undefined): boolean {
  const [, rotation] = description.split(keptFresh);
  return rotation !== undefined && (rotator === undefined || rotator === `${rotation}-rotator`);
}
