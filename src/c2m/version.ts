/** Of package.json, said again because importing that file would put all of it into the bundle. A test compares them. */
export const version = "0.1.0";
