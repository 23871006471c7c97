import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a model is asked, as OpenAI's chat completions have it. */
export interface ModelRequest {
  readonly model: string;
  readonly stream: boolean;
  readonly messages: readonly { role: string; content?: unknown; tool_call_id?: string; tool_calls?: unknown }[];
  readonly tools?: readonly { function: { name: string } }[];
}

/** What a model says: text, what it thought, or a tool that it calls. */
export type ModelSays =
  | { readonly text: string }
  | { readonly reasoning: string }
  | { readonly call: { readonly name: string; readonly input: unknown } }
  | { readonly waitFor: Promise<void> };

type Script = (request: ModelRequest) => readonly ModelSays[] | { readonly status: number };

/** A server that speaks OpenAI's streaming chat completions. Its answers are those of `answer`, which a test sets. */
export async function modelServer(key: string) {
  const requests: ModelRequest[] = [];
  let script: Script = () => [];
  let hungUp = () => {};
  const server = createServer((request, response) => {
    response.on('close', () => {
      if (!response.writableFinished) hungUp();
    });
    void answer(request, response);
  });

  async function answer(request: IncomingMessage, response: ServerResponse) {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (request.url !== '/v1/chat/completions' || request.headers.authorization !== `Bearer ${key}`)
      return void response.writeHead(401).end('{"error":{"message":"The secret of the model."}}');
    const asked = JSON.parse(body) as ModelRequest;
    requests.push(asked);
    const said = script(asked);
    if ('status' in said)
      return void response.writeHead(said.status).end('{"error":{"message":"The secret of the model."}}');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    await stream(response, asked.model, said);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    answer(next: Script) {
      script = next;
    },
    /** Resolves when the client leaves in the middle of an answer. */
    hungUp: () => new Promise<void>((resolve) => (hungUp = resolve)),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function stream(response: ServerResponse, model: string, said: readonly ModelSays[]): Promise<void> {
  const send = (choice: object, more: object = {}) =>
    response.write(
      `data: ${JSON.stringify({ id: 'completion', object: 'chat.completion.chunk', created: 1, model, choices: [{ index: 0, finish_reason: null, ...choice }], ...more })}\n\n`,
    );
  let calls = 0;
  for (const one of said) {
    if ('waitFor' in one) await one.waitFor;
    else if ('text' in one)
      for (const word of one.text.split(/(?<= )/)) send({ delta: { role: 'assistant', content: word } });
    else if ('reasoning' in one) send({ delta: { role: 'assistant', reasoning_content: one.reasoning } });
    else {
      const input = JSON.stringify(one.call.input);
      const id = `call_${Math.random().toString(36).slice(2)}`;
      const half = Math.floor(input.length / 2);
      send({
        delta: {
          tool_calls: [
            { index: calls, id, type: 'function', function: { name: one.call.name, arguments: input.slice(0, half) } },
          ],
        },
      });
      send({ delta: { tool_calls: [{ index: calls, function: { arguments: input.slice(half) } }] } });
      calls += 1;
    }
  }
  send({ delta: {}, finish_reason: calls > 0 ? 'tool_calls' : 'stop' });
  response.write(
    `data: ${JSON.stringify({ id: 'completion', object: 'chat.completion.chunk', created: 1, model, choices: [], usage: { prompt_tokens: 11, completion_tokens: 5, total_tokens: 16 } })}\n\n`,
  );
  response.end('data: [DONE]\n\n');
}
