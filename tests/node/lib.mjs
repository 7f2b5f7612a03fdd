// What the ecosystem's clients share: where the server is, who asks, and what they print.
//
// Environment: HEARTH_URL, HEARTH_WS_URL, HEARTH_UNIT_ID, HEARTH_OTHER_UNIT_ID and a token in
// HEARTH_TOKEN_CLINICIAN, HEARTH_TOKEN_CONSULTANT_SOCIAL_WORKER (both of the unit) and
// HEARTH_TOKEN_FIRST_RESPONSE: what `script/server` writes into .local/dev.env.
import { randomUUID } from 'node:crypto';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

function required(name) {
  const value = process.env[name];
  if (!value) {
    console.error(`${name} is not set`);
    process.exit(2);
  }
  return value;
}

export const url = required('HEARTH_URL');
export const wsUrl = required('HEARTH_WS_URL');
export const unitId = required('HEARTH_UNIT_ID');
export const otherUnitId = required('HEARTH_OTHER_UNIT_ID');
export const clinician = required('HEARTH_TOKEN_CLINICIAN');
export const consultant = required('HEARTH_TOKEN_CONSULTANT_SOCIAL_WORKER');
export const firstResponse = required('HEARTH_TOKEN_FIRST_RESPONSE');

export const key = randomUUID;

/** One line for the test. */
export function print(step, values) {
  process.stdout.write(`${JSON.stringify({ step, ...values })}\n`);
}

/** fetch as this person. Tells `seen` of every exchange, when it is given. */
export function fetchAs(token, seen) {
  return async (target, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token}`);
    // A server that never answers must not hang the test run.
    const impatience = AbortSignal.timeout(15_000);
    const signal = init.signal ? AbortSignal.any([init.signal, impatience]) : impatience;
    const response = await fetch(target, { ...init, headers, signal });
    seen?.({
      method: init.method ?? 'GET',
      accept: headers.get('accept'),
      body: init.body ? JSON.parse(init.body) : null,
      status: response.status,
      type: response.headers.get('content-type')?.split(';')[0],
    });
    return response;
  };
}

/** A graphql-ws client as this person. */
export function socketAs(token) {
  return createClient({
    url: wsUrl,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
  });
}

/** What a subscription pushes, to be taken one by one. */
export class Inbox {
  #waiting = [];
  #kept = [];

  push(value) {
    const taker = this.#waiting.shift();
    if (taker) taker(value);
    else this.#kept.push(value);
  }

  next() {
    if (this.#kept.length > 0) return Promise.resolve(this.#kept.shift());
    return new Promise((resolve, reject) => {
      const impatience = setTimeout(() => reject(new Error('nothing was pushed in time')), 20_000);
      this.#waiting.push((value) => {
        clearTimeout(impatience);
        resolve(value);
      });
    });
  }
}

/** A case of the queue, by a plain request: what the clients under test do not ask. */
export async function queued() {
  const query = '{ unallocatedCases(first: 1) { nodes { id version } } }';
  const response = await fetchAs(firstResponse)(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return (await response.json()).data.unallocatedCases.nodes[0];
}

/** The input that allocates a case of the queue to the unit. */
export function allocation({ id, version }) {
  return { idempotencyKey: key(), caseId: id, unitId, reason: 'New referral', expectedVersion: version };
}

/** The input that asks the other unit to take a case of the unit over. */
export function transfer(caseId, expectedVersion) {
  return {
    idempotencyKey: key(),
    caseId,
    toUnitId: otherUnitId,
    kind: 'WITHIN_SERVICE',
    handoverSummary: 'Ready to move on.',
    expectedVersion,
  };
}
