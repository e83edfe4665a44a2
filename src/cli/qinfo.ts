#!/usr/bin/env node
import { main } from "./start.js";

// Django Q2's name for `qluster info`.
await main(["info", ...process.argv.slice(2)]);
