/** What is started must still be known as started after a crash of the server. */
export const durableClaims = `
-- The claim sets synchronous_commit off inside. Named here too, the setting ends with the function, so that the commit waits
-- for the disk as the server is configured to. A claim that a crash took back would free a task that its holder may start
-- after somebody else has finished it.
ALTER FUNCTION {take}(integer, bigint, bigint, text[], integer) SET synchronous_commit = off;
`;
