/** A database address as it may be printed: without the password, also one that holds an unescaped `@` or `/`. */
export function maskPassword(address: string): string {
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/[^:@/?#]*):[^\s]*@/i, "$1:***@");
}
