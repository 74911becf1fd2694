/**
 * The schema as text. Types and root fields are sorted: in type-graphql their order is that in which modules happen to be
 * loaded, and the text would change without the schema.
 */
import {
  GraphQLObjectType,
  type GraphQLSchema,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  printType,
} from 'graphql';

/** As schema/schema.graphql holds it: the root types first. */
export function printedSchema(schema: GraphQLSchema): string {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].filter(isObjectType);
  const rest = Object.values(schema.getTypeMap())
    .filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type))
    .filter((type) => !isObjectType(type) || !roots.includes(type))
    .sort((a, b) => byText(a.name, b.name));
  const types = [...roots.map(withSortedFields), ...rest].map(printType);
  return `# Printed from the code by \`npm run schema\`; not to be edited by hand.\n\n${types.join('\n\n')}\n`;
}

function withSortedFields(type: GraphQLObjectType): GraphQLObjectType {
  const config = type.toConfig();
  const fields = Object.entries(config.fields).sort(([a], [b]) => byText(a, b));
  return new GraphQLObjectType({ ...config, fields: Object.fromEntries(fields) });
}

const byText = (a: string, b: string) => (a < b ? -1 : 1);
