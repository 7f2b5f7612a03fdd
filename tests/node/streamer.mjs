// A real graphql-sse client in distinct connections mode, driven by a test over
// stdin and stdout, one JSON object a line each way.
//
// Environment: HEARTH_URL, the GraphQL endpoint.
//
// Commands:
//   {"op":"open","id":"a","token":"...","query":"subscription ...",
//    "variables":{...},"keepCursor":true,"retry":true}
//   {"op":"close","id":"a"}      disposes of the client
//   {"op":"quit"}                exits, as the end of stdin does
//
// Events:
//   {"id":"a","on":"connected"}  every answered request, also a renewed one
//   {"id":"a","on":"next","data":{...}}                 and "errors" if there are any
//   {"id":"a","on":"error","errors":[...]}              the subscription has failed
//   {"id":"a","on":"complete"}                          the server has ended it
//   {"id":"a","on":"disposed"}                          nothing more comes from "a"
import { createInterface } from 'node:readline';
import { createClient } from 'graphql-sse';

const url = process.env.HEARTH_URL;
if (!url) {
  console.error('streamer: HEARTH_URL is not set');
  process.exit(2);
}

const streams = new Map();

function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function open({ id, token, query, variables, keepCursor = false, retry = false }) {
  if (streams.has(id)) throw new Error(`open: ${id} is already open`);

  const payload = { query, variables: { ...variables } };
  const stream = { disposing: false };
  streams.set(id, stream);
  stream.client = createClient({
    url,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    retryAttempts: retry ? 1000 : 0,
    // Short, as a test waits for it; random, so that several streams don't
    // come back in step after a restart.
    retry: () => new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 100)),
    on: {
      connected() {
        print({ id, on: 'connected' });
      },
    },
  });
  stream.client.subscribe(payload, {
    next(result) {
      // Each attempt of graphql-sse 2.6.1 sends `JSON.stringify(request)` anew
      // (lib/client.js), so that a cursor written into the request that it was
      // given here is in the next one.
      const cursor = Object.values(result.data ?? {})[0]?.cursor;
      if (keepCursor && typeof cursor === 'string') payload.variables.after = cursor;
      print({ id, on: 'next', data: result.data ?? null, errors: result.errors });
    },
    error(err) {
      print({ id, on: 'error', errors: [{ message: err.message || String(err) }] });
    },
    complete() {
      // graphql-sse also says so when it is the client that ends the subscription.
      if (!stream.disposing) print({ id, on: 'complete' });
    },
  });
}

function close(id) {
  const stream = streams.get(id);
  if (!stream) throw new Error(`${id} is not open`);
  stream.disposing = true;
  stream.client.dispose();
  streams.delete(id);
  print({ id, on: 'disposed' });
}

for await (const line of createInterface({ input: process.stdin })) {
  if (!line.trim()) continue;
  const command = JSON.parse(line);
  switch (command.op) {
    case 'open':
      open(command);
      break;
    case 'close':
      close(command.id);
      break;
    case 'quit':
      process.exit(0);
      break;
    default:
      throw new Error(`unknown op: ${line}`);
  }
}
process.exit(0);
