/** Runs the verb that the command line names, and prints what it resolves to as JSON. */
export async function serve(verbs) {
  const [verb, options = {}] = process.argv.slice(2).map((arg) => JSON.parse(arg));
  const found = await verbs[verb](options);
  if (found !== undefined) console.log(JSON.stringify(found));
}
