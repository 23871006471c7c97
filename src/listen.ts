import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Env, WrongSettings } from './env.js';

const triedPorts = 20;

/** Where a server listens, and what its user should know of that. */
export interface Listening {
  readonly port: number;
  readonly note: string | null;
}

/** Listens at the port that was asked for, or at the first free one after the default. Throws WrongSettings when that cannot be had. */
export async function listen(server: Server, { port: first, portIsGiven, host }: Env): Promise<Listening> {
  for (let port = first; ; port += 1) {
    const code = await attempt(server, port, host);
    if (code === null) {
      const { port: bound } = server.address() as AddressInfo; // It listens on a port, not on a pipe.
      return { port: bound, note: port === first ? null : `Port ${first} is taken, so this is port ${bound}.` };
    }
    if (code !== 'EADDRINUSE')
      throw new WrongSettings(
        `Canopy cannot start: it may not listen on ${host} (HOST), port ${port} (PORT): ${code}.`,
      );
    if (portIsGiven) throw new WrongSettings(`Canopy cannot start: port ${port} (PORT) is taken by another program.`);
    if (port - first >= triedPorts)
      throw new WrongSettings(`Canopy cannot start: the ports ${first} to ${port} are taken. Set PORT to a free one.`);
  }
}

/** Null once it listens, or the code of what is in the way. */
function attempt(server: Server, port: number, host: string): Promise<string | null> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message);
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      resolve(null);
    });
  });
}
