const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: " " };

/** What a reader of an HTML mail sees, roughly, and where its links lead. */
export function plainText(html: string): string {
  return html
    .replaceAll(/<(style|script)\b[\s\S]*?<\/\1>/gi, " ")
    .replaceAll(/<a\s[^>]*href=["']?([^"'\s>]+)[^>]*>/gi, " $1 ")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/&(\w+);/g, (_, name: string) => entities[name.toLowerCase()] ?? " ")
    .replaceAll(/[ \t]+/g, " ")
    .replaceAll(/\s*\n\s*/g, "\n")
    .trim();
}
