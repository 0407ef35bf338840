#!/usr/bin/env node
import { main } from './main.js';
import { hidePasswords } from './options/passwords.js';

const args = process.argv.slice(2);
hidePasswords(args);
await main(args, process);
