// Parses and analyses KQL with Microsoft's own language service, against the tables given.
//
//   node check.js FOLDER < {"tables": {"T": "a: string, b: long"}, "queries": {"name": "T | where a == 1"}}
//
// FOLDER holds @kusto/language-service-next. Prints, for each query, what is wrong with it, the
// tables it reads, the keys that its parse-kv operators extract, the texts that its conditions
// compare, and the columns of its result.

"use strict";

const path = require("node:path");
const fs = require("node:fs");

const folder = path.resolve(process.argv[2]);
require(path.join(folder, "bridge.js"));
require(path.join(folder, "Kusto.Language.Bridge.js"));
const { KustoCode, GlobalState, Symbols, Syntax } = globalThis.Kusto.Language;

const list = (items) => {
  const found = [];
  for (let i = 0; i < items.Count; i += 1) found.push(items.getItem(i));
  return found;
};

const database = (tables) => {
  const symbols = Object.entries(tables).map(([name, columns]) =>
    Symbols.TableSymbol.From(`(${columns})`).WithName(name),
  );
  return new Symbols.DatabaseSymbol.$ctor3("logs", null, symbols, false);
};

const analyse = (text, globals) => {
  const code = KustoCode.ParseAndAnalyze(text, globals);
  const tables = new Set();
  const keys = {};
  Syntax.SyntaxElement.WalkNodes(code.Syntax, (node) => {
    const symbol = node.ReferencedSymbol;
    if (symbol && globals.GetDatabase(symbol)) tables.add(symbol.Name);
    if (node.Kind === Syntax.SyntaxKind.ParseKvOperator) {
      for (const column of list(node.Keys.Columns)) {
        const declared = column.Element;
        keys[declared.Name.SimpleName] = declared.Type.toString().trim();
      }
    }
  });
  const problems = list(code.GetDiagnostics()).map((d) => `${d.Severity}: ${d.Message} (at ${d.Start})`);
  const result = code.ResultType;
  const columns = {};
  if (result && result.Columns) for (const c of list(result.Columns)) columns[c.Name] = c.Type.Name;
  return { problems, tables: [...tables], keys, columns };
};

const asked = JSON.parse(fs.readFileSync(0, "utf8"));
const globals = GlobalState.Default.WithDatabase(database(asked.tables));
const said = Object.entries(asked.queries).map(([name, text]) => [name, analyse(text, globals)]);
process.stdout.write(JSON.stringify(Object.fromEntries(said)));
