import { type ServerOptions, startServer, type TestServer } from '../support/server.js';

/** Runs `work` with a server of its own, which is stopped however that ends. */
export async function withServer<T>(
  options: ServerOptions,
  work: (server: TestServer) => Promise<T>,
): Promise<T> {
  const server = await startServer(options);
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}
