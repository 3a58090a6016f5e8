import Flow
import Model
import YAML

/// A node of which some values are open: `$cause`. Each node of this form gives its own.
struct Form {
  let name: Text
  let takes: [Text]
  let body: YAML.Node
  var isUsed = false

  init(_ field: Field, _ problems: Problems) {
    name = field.name
    let fields = field.value.fields(problems)
    let takes = fields.first { $0.name.text == "takes" }?.value.texts(problems) ?? []
    var open: Set<String> = []
    body = field.value.without("takes")
    _ = body.replacingScalars { scalar in
      if scalar.first == "$" { open.insert(String(scalar.dropFirst())) }
      return nil
    }
    self.takes = takes
    if takes.isEmpty { problems.add(name.at, "a form 'takes' at least one value") }
    for name in takes where !open.contains(name.text) {
      problems.add(name.at, "the form '\(field.name.text)' has no '$\(name.text)'")
    }
    for name in open.subtracting(takes.map(\.text)).sorted() {
      problems.add(field.name.at, "the form '\(field.name.text)' takes no '\(name)'", name, notIn: takes.map(\.text))
    }
  }

  /// The body with the values that a node gives: those stand where the node says them.
  func filled(by node: YAML.Node, _ problems: Problems) -> YAML.Node {
    let values = node.record(["form"] + takes.map(\.text), problems)
    for name in takes { _ = values.required(name.text) }
    return body.replacingScalars { $0.first == "$" ? values[String($0.dropFirst())] : nil }
  }
}
