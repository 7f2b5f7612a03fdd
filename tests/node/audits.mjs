// Runs graphql-http's server audits against a running Hearth.
//
// Environment: HEARTH_URL, the GraphQL endpoint, and HEARTH_TOKEN, a bearer
// token that it accepts.
import { serverAudits } from 'graphql-http';

const url = required('HEARTH_URL');
const token = required('HEARTH_TOKEN');

function required(name) {
  const value = process.env[name];
  if (!value) {
    console.error(`audits: ${name} is not set`);
    process.exit(2);
  }
  return value;
}

// The audits know nothing of authentication, and without it every one of them
// would only ever see the same refusal.
function fetchFn(target, init = {}) {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${token}`);
  // An audit sets no time limit of its own, so that a server which never
  // answers would hang the whole test run.
  return fetch(target, { ...init, headers, signal: AbortSignal.timeout(10_000) });
}

// What the server answered instead is the first thing that one wants to know
// of a failed audit, and its own reason says only what was expected.
function reasonOf({ reason, response }) {
  if (!response) return reason;
  const type = response.headers.get('content-type') ?? 'no content-type';
  return `${reason} (got ${response.status}, ${type})`;
}

// An audit throws when there is no HTTP answer to judge (refused, reset, timed
// out); the others should still be run and reported.
async function run({ id, name, fn }) {
  try {
    const result = await fn();
    return { id, name, status: result.status, reason: reasonOf(result) };
  } catch (err) {
    const reason = err.cause?.message || err.cause?.code || err.message;
    return { id, name, status: 'error', reason: `no answer: ${reason}` };
  }
}

const results = [];
// One at a time, so that what is reported is the same from run to run.
for (const audit of serverAudits({ url, fetchFn })) {
  const result = await run(audit);
  results.push(result);
  console.log([result.status, result.id, result.name, result.reason].filter(Boolean).join(' '));
}

const failed = results.filter(({ status }) => status !== 'ok');
console.log(
  JSON.stringify({ total: results.length, ok: results.length - failed.length, failed }),
);
// The audits leave the bodies of most answers unread, and those connections
// would keep the process waiting.
process.exit(failed.length === 0 ? 0 : 1);
