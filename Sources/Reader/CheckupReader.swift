import Flow
import Model
import YAML

/// Reads `Flows/checkup.yaml`: what a checkup looks at, and what it takes for a weakness.
struct CheckupReader {
  static let file = "Flows/checkup.yaml"

  let shapes: [String: CheckShape]
  let problems: Problems

  func read(_ root: YAML.Node, into draft: inout Draft) {
    let file = root.record(["title", "looks", "expects", "weaknesses"], problems)
    _ = file.requiredText("title")
    let looks = file.texts("looks")
    looks.forEach { look(at: $0, into: &draft) }
    let expects = (file["expects"]?.fields(problems) ?? []).map { sign($0, into: &draft) }
    draft.checkup = Checkup(
      looks: looks.map(\.text),
      expects: Dictionary(expects.map { ($0.check, $0.outcomes) }) { first, _ in first },
      weaknesses: (file.required("weaknesses")?.fields(problems) ?? []).map { weakness($0, into: &draft) })
  }

  private func weakness(_ field: Field, into draft: inout Draft) -> Weakness {
    let record = field.value.record(["urgency", "shown-by", "when"], problems)
    _ = record.required("urgency")
    draft.link(to: .weakness, field.name)
    return Weakness(
      id: field.name.text, urgency: record.choice("urgency", of: Weakness.Urgency.allCases) ?? .later,
      shownBy: (record.required("shown-by")?.fields(problems) ?? []).map { sign($0, into: &draft) },
      when: record.text("when").map { conditions($0, into: &draft) } ?? [])
  }

  /// `check: [outcome, …]`
  private func sign(_ field: Field, into draft: inout Draft) -> Weakness.Sign {
    look(at: field.name, into: &draft)
    let outcomes = field.value.texts(problems)
    if let shape = shapes[field.name.text] { shape.expect(outcomes, problems) }
    return Weakness.Sign(check: field.name.text, outcomes: Set(outcomes.map(\.text)))
  }

  private func look(at check: Text, into draft: inout Draft) {
    if shapes[check.text] == nil {
      problems.add(check.at, "there is no check '\(check.text)'", check.text, notIn: shapes.keys)
    }
    draft.checkedUp.append(check)
  }

  private func conditions(_ text: Text, into draft: inout Draft) -> [Condition] {
    text.text.split(separator: ",", omittingEmptySubsequences: false).compactMap { part in
      guard let condition = Condition(part.trimmed, { problems.add(text.at, $0) }) else { return nil }
      draft.use(condition.fact, .anywhere, at: .known(text.at))
      for value in condition.values { draft.compare(condition.fact, with: value, .known(text.at)) }
      return condition
    }
  }
}

extension CheckShape {
  /// Complains of each of those that the check does not end in.
  func expect(_ keys: some Sequence<Text>, besides words: [String] = [], _ problems: Problems) {
    let allowed = outcomes + words
    for key in keys where !allowed.contains(key.text) {
      problems.add(key.at, "'\(id)' does not end in '\(key.text)'", key.text, notIn: allowed)
    }
  }
}
