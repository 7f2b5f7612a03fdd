// Holds the lists of ../documents.json against graphql-js and the committed schema.
//
// Every invalid document must be refused by the rule that it is listed under ("syntax" is the parser), every rule must
// have one, and every valid document, also of the list on which Hearth is stricter, must pass all of them.
import { readFileSync } from 'node:fs';
import * as graphql from 'graphql';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');
const schema = graphql.buildSchema(read('../../schema.graphql'));
const { invalid, valid, stricter } = JSON.parse(read('../documents.json'));
const rules = new Map(graphql.specifiedRules.map((rule) => [rule.name, rule]));
const without = new Set(['syntax', ...rules.keys()]);
const faults = [];

function parsed(document) {
  try {
    return graphql.parse(document);
  } catch {
    return undefined;
  }
}

for (const { rule, document } of invalid) {
  const ast = parsed(document);
  const refused =
    rule === 'syntax'
      ? ast === undefined
      : ast !== undefined && graphql.validate(schema, ast, [rules.get(rule)]).length > 0;
  if (refused) without.delete(rule);
  else faults.push(`${rule} does not refuse ${document}`);
}
for (const { why, document } of [...valid, ...stricter]) {
  const ast = parsed(document);
  const errors = ast ? graphql.validate(schema, ast).map(({ message }) => message) : ['it does not parse'];
  if (errors.length > 0) faults.push(`${why}: ${document}: ${errors.join('; ')}`);
}
for (const rule of without) faults.push(`no document for ${rule}`);

faults.forEach((fault) => console.log(fault));
console.log(
  JSON.stringify({
    invalid: invalid.length,
    valid: valid.length,
    stricter: stricter.length,
    rules: rules.size,
    faults: faults.length,
  }),
);
process.exit(faults.length === 0 ? 0 : 1);
