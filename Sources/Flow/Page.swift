public import Model

/// A page: that of a cause says what is wrong and how it is put right, a guide what is true for no cause alone.
public struct Page: Sendable, Equatable {
  /// What stands below the title, which many want to know alone.
  public struct Body: Sendable, Equatable {
    let explanation: [Paragraph]
    let drawings: [Drawing]
    let sections: [Section]
    public init(explanation: [Paragraph], drawings: [Drawing], sections: [Section]) {
      self.explanation = explanation
      self.drawings = drawings
      self.sections = sections
    }
  }

  /// The cause's id, or the guide's name.
  public let id: String
  public let title: Template
  /// Causes that merely follow from this one; a diagnosis leaves them out.
  public let hides: [String]
  public let prevention: [Template]
  public let sources: [String]
  @Later private var body: Body

  public var explanation: [Paragraph] { body.explanation }
  /// Places that do not meet, drawn below the explanation: the first one whose facts are known.
  public var drawings: [Drawing] { body.drawings }
  public var sections: [Section] { body.sections }

  /// - Parameter body: Read when it is first wanted.
  public init(
    id: String, title: Template, hides: [String], prevention: [Template], sources: [String],
    body: @escaping @Sendable () -> Body
  ) {
    self.id = id
    self.title = title
    self.hides = hides
    self.prevention = prevention
    self.sources = sources
    _body = Later(body)
  }

  public init(
    id: String, title: Template, hides: [String], explanation: [Paragraph], drawings: [Drawing] = [],
    sections: [Section], prevention: [Template], sources: [String]
  ) {
    self.init(id: id, title: title, hides: hides, prevention: prevention, sources: sources) {
      Body(explanation: explanation, drawings: drawings, sections: sections)
    }
  }

  public struct Paragraph: Sendable, Equatable {
    public let text: Template
    public let when: [Condition]
    public init(text: Template, when: [Condition]) {
      self.text = text
      self.when = when
    }
  }

  /// A few places of a system, side by side.
  public struct Drawing: Sendable, Equatable {
    /// Of each place its name, and what is to be said of it.
    public let places: [[Template]]
    public let when: [Condition]
    public init(places: [[Template]], when: [Condition]) {
      self.places = places
      self.when = when
    }
  }

  public struct Section: Sendable, Equatable {
    public let heading: String
    public let steps: [Step]
    public init(heading: String, steps: [Step]) {
      self.heading = heading
      self.steps = steps
    }
  }

  public struct Step: Sendable, Equatable {
    public enum Body: Sendable, Equatable {
      /// Words only.
      case none
      /// A command for a shell at `place`.
      case command(Template)
      /// Lines of a unified diff, each with its sign; `line` is the number of the first old line.
      case patch(file: Template, line: Template, lines: [Template])
      /// What to set in a web page, a line each.
      case form(Template)
    }

    public let text: Template
    public let when: [Condition]
    public let body: Body
    public let place: Diagnosis.Place?
    public let changes: Bool
    public init(text: Template, when: [Condition], body: Body, place: Diagnosis.Place?, changes: Bool) {
      self.text = text
      self.when = when
      self.body = body
      self.place = place
      self.changes = changes
    }
  }
}

/// Whether something is shown, by what is known.
public struct Condition: Sendable, Equatable {
  public enum Test: Sendable, Equatable {
    case known
    case unknown
    case oneOf([String])
    case noneOf([String])
  }
  public let fact: FactName
  public let test: Test
  public init(fact: FactName, test: Test) {
    self.fact = fact
    self.test = test
  }

  public func holds(_ facts: Facts) -> Bool {
    switch test {
    case .known: facts[fact] != nil
    case .unknown: facts[fact] == nil
    case .oneOf(let values): facts[fact].map(values.contains) ?? false
    case .noneOf(let values): facts[fact].map { !values.contains($0) } ?? true
    }
  }
}

extension Page {
  /// This page as a cause of a diagnosis: every part that the facts can fill in, in order.
  public func filled(
    _ facts: Facts, _ catalog: Catalog, confidence: Confidence, evidence: [Diagnosis.Evidence]
  ) -> Diagnosis.Cause {
    Diagnosis.Cause(
      id: id, confidence: confidence, title: title(facts), explanation: explanation(facts), evidence: evidence,
      steps: sections(facts, catalog).flatMap(\.steps), prevention: prevention.compactMap { $0.prose(facts) },
      sources: sources)
  }

  public func title(_ facts: Facts) -> String { title.prose(facts) ?? id }

  public func explanation(_ facts: Facts) -> String {
    explanation.filter { $0.when.allSatisfy { $0.holds(facts) } }.compactMap { $0.text.prose(facts) }
      .joined(separator: " ")
  }

  /// The places to be drawn, each with its name first; empty if none are, or not all of them are known.
  public func places(_ facts: Facts) -> [[String]] {
    drawings.firstMapped { drawing in
      guard drawing.when.allSatisfy({ $0.holds(facts) }) else { return nil }
      let places = drawing.places.map { $0.compactMap { $0.prose(facts) } }
      return zip(places, drawing.places).allSatisfy { $0.count == $1.count } ? places : nil
    } ?? []
  }

  /// The sections with the steps that the facts can fill in; those without any are left out.
  public func sections(_ facts: Facts, _ catalog: Catalog) -> [(heading: String, steps: [Diagnosis.Step])] {
    sections.map { ($0.heading, $0.steps.compactMap { $0.filled(facts, catalog) }) }.filter { !$0.steps.isEmpty }
  }
}

extension Page.Step {
  /// Nil where a condition does not hold or a fact is not known. Where a known value cannot be pasted, the step stays
  /// with its words, and says so in the place of its command or patch.
  func filled(_ facts: Facts, _ catalog: Catalog) -> Diagnosis.Step? {
    guard when.allSatisfy({ $0.holds(facts) }), var words = text.prose(facts) else { return nil }
    var command: String?
    var file: String?
    var patch: String?
    do throws(Template.Unfilled) {
      switch body {
      case .none: break
      case .command(let template):
        command = try template.command(facts)
      case .form(let template):
        guard let filled = template.prose(facts) else { return nil }
        words += "\n" + filled
      case .patch(let path, let line, let lines):
        let name = try path.literal(facts)
        guard let number = Int(try line.literal(facts)) else { return nil }
        var filled: [String] = []
        for line in lines { filled += try line.lines(facts) }
        guard name.shellWord != nil else { throw .withheld(value: name) }
        file = name
        patch = unifiedDiff(of: name, line: number, lines: filled)
      }
    } catch {
      guard case .withheld(let value) = error else { return nil }
      words += "\n" + catalog.withheld(value)
    }
    return Diagnosis.Step(text: words, command: command, place: place, file: file, patch: patch, changes: changes)
  }

  private func unifiedDiff(of path: String, line: Int, lines: [String]) -> String {
    let old = lines.count { $0.unicodeScalars.first != "+" }
    let new = lines.count { $0.unicodeScalars.first != "-" }
    // Where no line is left, the change stands after the one before.
    let start = new == 0 ? line - 1 : line
    let name = path.inDiffHeader
    return "--- \(name)\n+++ \(name)\n@@ -\(line),\(old) +\(start),\(new) @@\n" + lines.map { $0 + "\n" }.joined()
  }
}

extension String {
  /// A file's name as `patch` and git read it in the head of a diff: in double quotes where a blank would end it.
  fileprivate var inDiffHeader: String {
    guard unicodeScalars.contains(where: { " \"\\".unicodeScalars.contains($0) }) else { return self }
    var name = "\"".unicodeScalars
    for scalar in unicodeScalars {
      if scalar == "\"" || scalar == "\\" { name.append("\\") }
      name.append(scalar)
    }
    return String(name) + "\""
  }
}

extension Catalog {
  /// That a command or a change is not shown, because this value of it cannot be pasted.
  public func withheld(_ value: String) -> String { word("step.withheld", ["step.value": value.excerpt(of: 60)]) }
}

extension Page {
  /// Every fact that the page can show.
  public var placeholders: [FactName] {
    title.placeholders + explanation.flatMap(\.text.placeholders)
      + drawings.flatMap { $0.places.joined().flatMap(\.placeholders) } + prevention.flatMap(\.placeholders)
      + sections.flatMap(\.steps).flatMap(\.placeholders)
  }
}

extension Page.Step {
  /// Every fact without which the step is left out.
  public var placeholders: [FactName] {
    let inBody: [FactName] =
      switch body {
      case .none: []
      case .command(let template), .form(let template): template.placeholders
      case .patch(let file, let line, let lines):
        file.placeholders + line.placeholders + lines.flatMap(\.placeholders)
      }
    return text.placeholders + inBody
  }
}
