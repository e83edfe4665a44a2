// `npm run demo`. Loads the TypeScript beside it, also on Node.js 20.
import { createJiti } from "jiti";

const { main } = await createJiti(import.meta.url).import("./demo/main.ts");
process.exitCode = await main(process.argv.slice(2));
