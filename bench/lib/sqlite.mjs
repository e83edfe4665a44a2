// The SQLite that Qluster uses on this Node.js, bare.
/** @param {string} file */
export async function openSqlite(file) {
  const own = process.getBuiltinModule("node:sqlite");
  if (own !== undefined) return new own.DatabaseSync(file);
  const { default: Libsql } = await import("libsql");
  return new Libsql(file);
}
