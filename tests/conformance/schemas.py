"""Prints, as JSON, every operator of the installed `onnx` package: [{"domain", "type", "revisions", "deprecated"}].

`revisions` are the opsets that brought the operator and each change of it.
"""

import json

from onnx import defs

operators = {}
for schema in defs.get_all_schemas_with_history():
    row = operators.setdefault((schema.domain, schema.name), {"revisions": set(), "deprecated": False})
    row["revisions"].add(schema.since_version)
    row["deprecated"] = row["deprecated"] or schema.deprecated
print(json.dumps([
    {"domain": domain, "type": name, "revisions": sorted(row["revisions"]), "deprecated": row["deprecated"]}
    for (domain, name), row in sorted(operators.items())
]))
