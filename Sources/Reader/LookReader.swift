import Flow
import Model
import YAML

/// `Screens/looks.yaml`: how a person takes each kind of look.
struct LookReader {
  static let file = "Screens/looks.yaml"
  let problems: Problems

  func looks(_ root: YAML.Node, into draft: inout Draft) {
    for field in root.fields(problems) {
      draft.looks[field.name.text] = field.value.items(problems).map { way in
        if case .sequence(let parts) = way.content { return ByHand(parts.compactMap(part)) }
        return ByHand([part(way)].compactMap(\.self))
      }
    }
  }

  private func part(_ node: YAML.Node) -> ByHand.Part? {
    guard case .mapping = node.content else { return node.text(problems).map { .init(Template($0.text)) } }
    let record = node.record(["if", "add"], problems)
    return record.requiredText("add").map { text in
      .init(Template(text.text), isNeeded: false, if: record.text("if").map { FactName($0.text) })
    }
  }
}
