#!/usr/bin/env node
import { main } from "./run.js";

// Django Q2's name for `qluster info`.
await main(["info", ...process.argv.slice(2)]);
