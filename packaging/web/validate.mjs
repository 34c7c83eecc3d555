// node validate.mjs TOOLS DOCUMENT: checks an OpenAPI document; the programs lie in TOOLS/node_modules.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [tools, file] = process.argv.slice(2);
const require = createRequire(`${tools}/package.json`);
const path = require.resolve('@seriousme/openapi-schema-validator');
const { Validator } = await import(pathToFileURL(path).href);
const validator = new Validator();
const result = await validator.validate(file);
if (!result.valid) {
  console.error(JSON.stringify(result.errors, null, 1).slice(0, 4000));
  process.exit(1);
}
console.log(`${file}: OpenAPI ${validator.version}`);
