#!/usr/bin/env node
import { main } from "./start.js";

// Django Q2's name for `qluster cluster`.
await main(["cluster", ...process.argv.slice(2)]);
