/** `npm run reset` stops the embedded database and deletes what is in it. Databases of others are left alone. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { removeEmbeddedPostgres } from '../src/platform/database/embedded.js';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
if (existsSync('.env')) process.loadEnvFile('.env');
const { DATABASE_URL, NODE_ENV, CANOPY_HOME } = process.env;

if (DATABASE_URL) throw new Error('DATABASE_URL is set: this command deletes only the embedded database.');
if (NODE_ENV === 'production') throw new Error('NODE_ENV is production: nothing is deleted.');
process.stdout.write(`${await removeEmbeddedPostgres(CANOPY_HOME || '.canopy')} is deleted.\n`);
