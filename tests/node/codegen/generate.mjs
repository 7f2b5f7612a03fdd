// Runs graphql-codegen's client preset, as its command line does, over documents.graphql and the schema: typed
// documents, fragment masking, and the manifest of persisted documents, into generated/.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { preset } from '@graphql-codegen/client-preset';
import { codegen } from '@graphql-codegen/core';
import { buildSchema, parse } from 'graphql';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');
const sdl = read('../../../schema.graphql');
const document = read('documents.graphql');
const folder = new URL('generated/', import.meta.url);

rmSync(folder, { recursive: true, force: true });
const outputs = await preset.buildGeneratesSection({
  baseOutputDir: folder.pathname,
  schema: parse(sdl),
  schemaAst: buildSchema(sdl),
  documents: [{ location: 'documents.graphql', document: parse(document), rawSDL: document }],
  plugins: [],
  pluginMap: {},
  pluginContext: {},
  config: {
    // A scalar that is not named here fails the generation.
    strictScalars: true,
    scalars: { ID: 'string', Date: '../scalars.js#LocalDate', DateTime: '../scalars.js#Instant' },
    useTypeImports: true,
    importExtension: '.js',
  },
  presetConfig: {
    persistedDocuments: { mode: 'embedHashInDocument', hashAlgorithm: 'sha256' },
    fragmentMasking: { unmaskFunctionName: 'unmask' },
  },
});
for (const output of outputs) {
  mkdirSync(dirname(output.filename), { recursive: true });
  writeFileSync(output.filename, await codegen({ ...output, cache: undefined }));
}
