public import Model

/// A checkup: the same looks as a diagnosis takes, asked of a site that works. What is there now and will be its next
/// fault?
public struct Checkup: Sendable, Equatable {
  /// Checks that are made for what they bring.
  public var looks: [String]
  /// Checks with the outcomes without which there is little to look at; any other one is told as something not seen.
  public var expects: [String: Set<String>]
  /// In the order in which they are told, but for their urgency.
  public var weaknesses: [Weakness]

  public init(looks: [String] = [], expects: [String: Set<String>] = [:], weaknesses: [Weakness] = []) {
    (self.looks, self.expects, self.weaknesses) = (looks, expects, weaknesses)
  }

  /// Every check that it makes.
  public var checks: Set<String> {
    Set(looks).union(expects.keys).union(weaknesses.flatMap { $0.shownBy.map(\.check) })
  }
}

/// Something that works today and will not for ever.
public struct Weakness: Sendable, Equatable {
  public enum Urgency: String, Sendable, CaseIterable, Codable, Comparable {
    /// Some visitors are hit already, or the next restart will hit all of them.
    case now
    /// A restart, a new container, or some more load will do it.
    case soon
    /// It hurts when something else is changed, or hides what is wrong then.
    case later

    public static func < (left: Urgency, right: Urgency) -> Bool {
      allCases.firstIndex(of: left) ?? 0 < allCases.firstIndex(of: right) ?? 0
    }
  }

  /// A check, and its outcomes that show the weakness.
  public struct Sign: Sendable, Equatable {
    public let check: String
    public let outcomes: Set<String>
    public init(check: String, outcomes: Set<String>) { (self.check, self.outcomes) = (check, outcomes) }
  }

  public let id: String
  public let urgency: Urgency
  /// All of them have to be seen.
  public let shownBy: [Sign]
  /// What has to hold besides.
  public let when: [Condition]

  public init(id: String, urgency: Urgency, shownBy: [Sign], when: [Condition]) {
    (self.id, self.urgency, self.shownBy, self.when) = (id, urgency, shownBy, when)
  }
}

/// What a checkup of one site has found.
public struct CheckedSite: Sendable, Equatable, Codable {
  public struct Found: Sendable, Equatable, Codable {
    public let id: String
    public let urgency: Weakness.Urgency
    public let title: String
    public let why: String
    public let evidence: [String]
    public let steps: [Diagnosis.Step]
    public init(
      id: String, urgency: Weakness.Urgency, title: String, why: String, evidence: [String], steps: [Diagnosis.Step]
    ) {
      (self.id, self.urgency, self.title, self.why) = (id, urgency, title, why)
      (self.evidence, self.steps) = (evidence, steps)
    }
  }

  /// The site's address; nil for what is true of no site alone.
  public let url: String?
  /// The most urgent ones first.
  public var weaknesses: [Found]
  /// What could not be looked at, and why, in sentences.
  public let unseen: [String]

  public init(url: String?, weaknesses: [Found] = [], unseen: [String]) {
    (self.url, self.weaknesses, self.unseen) = (url, weaknesses, unseen)
  }
}

extension Session {
  /// A session that makes the checks of the catalogue's checkup.
  public init(checkupWith catalog: Catalog, shapes: [CheckShape], given: Facts) {
    self.init(
      catalog: catalog, shapes: shapes, asks: false, record: Record(given: given), using: catalog.checkup.checks)
  }

  /// What the checkup has found, once all its checks have ended.
  public func checkedSite() -> CheckedSite {
    var blind = Set(
      catalog.checkup.expects.compactMap { check, outcomes in
        finding(of: check).flatMap { outcomes.contains($0.outcome) ? nil : check }
      })
    // They saw a part of what they looked at.
    blind.formUnion(record.findings.filter { $0.facts[.configUnread] != nil }.map(\.check))
    var found: [CheckedSite.Found] = []
    for weakness in catalog.checkup.weaknesses {
      switch seen(weakness) {
      case .there:
        guard let page = catalog.weaknesses[weakness.id] else { continue }
        found.append(
          .init(
            id: weakness.id, urgency: weakness.urgency, title: page.title(facts), why: page.explanation(facts),
            evidence: weakness.shownBy.compactMap { evidence(of: $0.check, facts)?.text },
            steps: page.sections(facts, catalog).flatMap(\.steps)))
      case .hidden(let checks): blind.formUnion(checks)
      case .absent: break
      }
    }
    let ordered = found.enumerated().sorted { ($0.element.urgency, $0.offset) < ($1.element.urgency, $1.offset) }
    return CheckedSite(
      url: facts[.url], weaknesses: ordered.map(\.element),
      unseen: record.findings.map(\.check).filter(blind.contains).compactMap { evidence(of: $0, facts)?.text })
  }

  private enum Sighting {
    case there, absent
    /// It cannot be told, because of these checks.
    case hidden(Set<String>)
  }

  private func seen(_ weakness: Weakness) -> Sighting {
    var hidden: Set<String> = []
    for sign in weakness.shownBy {
      if let outcome = finding(of: sign.check)?.outcome, sign.outcomes.contains(outcome) { continue }
      let blind = blind(sign.check)
      if blind.isEmpty { return .absent }
      hidden.formUnion(blind)
    }
    for condition in weakness.when {
      let blind = facts[condition.fact] == nil ? blind(for: condition.fact) : []
      if blind.isEmpty, !condition.holds(facts) { return .absent }
      hidden.formUnion(blind)
    }
    return hidden.isEmpty ? .there : .hidden(hidden)
  }

  /// The checks that saw nothing and so keep from knowing what this one would find; none if it was made, or if it has
  /// nothing to look at here.
  private func blind(_ check: String, beside others: Set<String> = []) -> Set<String> {
    if let finding = finding(of: check) { return finding.outcome == Finding.unknown ? [check] : [] }
    guard let shape = shapes[check], !others.contains(check) else { return [] }
    let missing = shape.needs.filter { facts[$0] == nil }
    return missing.reduce(into: []) { $0.formUnion(blind(for: $1, beside: others.union([check]))) }
  }

  /// The same for those that may bring a fact.
  private func blind(for fact: FactName, beside others: Set<String> = []) -> Set<String> {
    shapes.values.filter { $0.learns.contains(fact) }.reduce(into: []) { $0.formUnion(blind($1.id, beside: others)) }
  }
}
