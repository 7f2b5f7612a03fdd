// A real graphql-ws client, driven by a test over stdin and stdout, one JSON
// object a line each way.
//
// Environment: HEARTH_WS_URL, the WebSocket endpoint.
//
// Commands:
//   {"op":"open","id":"a","token":"...","query":"subscription ...",
//    "variables":{...},"keepCursor":true,"retry":true}
//   {"op":"close","id":"a"}      disposes of the client
//   {"op":"terminate","id":"a"}  cuts its connection without a farewell
//   {"op":"quit"}                exits, as the end of stdin does
//
// Events:
//   {"id":"a","on":"connected"}  every acknowledged connection, also a renewed one
//   {"id":"a","on":"next","data":{...}}                 and "errors" if there are any
//   {"id":"a","on":"error","errors":[...]}              the subscription has failed
//   {"id":"a","on":"complete"}                          the server has ended it
//   {"id":"a","on":"closed","code":4401,"reason":"...","wasClean":true}
//   {"id":"a","on":"disposed"}                          nothing more comes from "a"
import { createInterface } from 'node:readline';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const url = process.env.HEARTH_WS_URL;
if (!url) {
  console.error('subscriber: HEARTH_WS_URL is not set');
  process.exit(2);
}

const subscribers = new Map();

function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function open({ id, token, query, variables, keepCursor = false, retry = false }) {
  if (subscribers.has(id)) throw new Error(`open: ${id} is already open`);

  const payload = { query, variables: { ...variables } };
  const subscriber = { socket: null, closed: Promise.resolve(), disposing: false };
  subscribers.set(id, subscriber);
  let markClosed;

  subscriber.client = createClient({
    url,
    webSocketImpl: WebSocket,
    connectionParams: token === undefined ? undefined : { authorization: `Bearer ${token}` },
    // With one subscription to a client, connecting for the subscription is
    // the same as connecting at once, except that a client which isn't lazy
    // goes on reconnecting after its subscription has ended.
    lazy: true,
    retryAttempts: retry ? 1000 : 0,
    // Short, as a test waits for it; random, so that several subscribers don't
    // come back in step after a restart.
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 100)),
    // The default retries only after a close, and so would give up at the
    // first connection refused while the server is down.
    shouldRetry: () => true,
    on: {
      opened(socket) {
        subscriber.socket = socket;
        subscriber.closed = new Promise((resolve) => (markClosed = resolve));
      },
      connected() {
        print({ id, on: 'connected' });
      },
      closed({ code, reason, wasClean }) {
        subscriber.socket = null;
        print({ id, on: 'closed', code, reason, wasClean });
        markClosed?.();
      },
    },
  });

  subscriber.unsubscribe = subscriber.client.subscribe(payload, {
    next(result) {
      // To resume after a reconnection of its own accord, graphql-ws 6.4.2
      // goes round the loop in `subscribe()` (dist/client.js) again, which
      // calls `socket.send(stringifyMessage({ id, type, payload }))` with the
      // `payload` object that it was given here. It keeps neither a copy nor
      // the serialised message, so that a cursor written into that object is
      // in the next subscribe message.
      const cursor = Object.values(result.data ?? {})[0]?.cursor;
      if (keepCursor && typeof cursor === 'string') payload.variables.after = cursor;
      print({ id, on: 'next', data: result.data ?? null, errors: result.errors });
    },
    error(err) {
      if (Array.isArray(err)) {
        print({ id, on: 'error', errors: err });
      } else if (typeof err.code !== 'number') {
        // No close event, which has been printed as "closed" already, but a
        // connection that couldn't be made, or a message that breaks the protocol.
        const message = err.message || err.error?.code || String(err);
        print({ id, on: 'error', errors: [{ message }] });
      }
    },
    complete() {
      // graphql-ws also says so when it is the client that ends the subscription.
      if (!subscriber.disposing) print({ id, on: 'complete' });
    },
  });
}

function get(id) {
  const subscriber = subscribers.get(id);
  if (!subscriber) throw new Error(`${id} is not open`);
  return subscriber;
}

async function close(id) {
  const subscriber = get(id);
  subscriber.disposing = true;
  // ws waits half a minute for a server that doesn't answer the close frame,
  // and dispose() for ever for one that doesn't acknowledge the connection.
  const impatience = setTimeout(() => subscriber.socket?.terminate(), 2000);
  // Between two connections, dispose() would wait for the next one, unless
  // there is no subscription left to reconnect for.
  if (!subscriber.socket) subscriber.unsubscribe();
  // Rejects with the reason of a connection that is never made.
  await Promise.resolve(subscriber.client.dispose()).catch(() => {});
  await subscriber.closed;
  clearTimeout(impatience);
  subscribers.delete(id);
  print({ id, on: 'disposed' });
}

function terminate(id) {
  const { client, socket } = get(id);
  // client.terminate() by itself is not abrupt: it sends a close frame (4499)
  // and goes on reading the old connection until the server has answered.
  // Destroyed beforehand, the connection just ends, as if the network had.
  socket?.terminate();
  client.terminate();
}

for await (const line of createInterface({ input: process.stdin })) {
  if (!line.trim()) continue;
  const command = JSON.parse(line);
  switch (command.op) {
    case 'open':
      open(command);
      break;
    case 'close':
      // Not awaited: a slow farewell mustn't hold up the other subscribers.
      close(command.id);
      break;
    case 'terminate':
      terminate(command.id);
      break;
    case 'quit':
      process.exit(0);
      break;
    default:
      throw new Error(`unknown op: ${line}`);
  }
}
process.exit(0);
