/** The packages are built for Linux on x64 only. */
export const secondNodeWorksHere: boolean;

/** The folder with the `node` of that major version; installed on first use (about 200 MB), then kept in the cache. */
export function secondNode(major: number): Promise<string>;
