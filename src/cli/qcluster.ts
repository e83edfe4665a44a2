#!/usr/bin/env node
import { main } from "./run.js";

// Django Q2's name for `qluster cluster`.
await main(["cluster", ...process.argv.slice(2)]);
