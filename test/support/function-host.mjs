/**
 * Calls a function as Vercel does: imports its file, takes the http.Server that it exports, and lets that answer on a port of the host's choice. The file
 * and the port are its arguments.
 */
import { Server } from 'node:http';
import { pathToFileURL } from 'node:url';

const [file, port] = process.argv.slice(2);
const { default: server } = await import(pathToFileURL(file).href);
if (!(server instanceof Server)) throw new Error('The function exports no http.Server.');
if (server.listening) throw new Error('The function listens by itself.');
server.listen(Number(port), '127.0.0.1', () => process.stderr.write('The function is called.\n'));
